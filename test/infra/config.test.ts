import { expect, test } from 'vitest';
import { EXAMPLE_ACCOUNT, InfraConfigurationError, readSettings } from '../../infra/config.ts';
import { type Context, EXISTING, FULL, SMALL, SOURCE, sampleContext } from './samples.ts';

function mistakes(context: unknown): readonly string[] {
  try {
    readSettings(context, {});
    return [];
  } catch (error) {
    if (error instanceof InfraConfigurationError) return error.mistakes;
    throw error;
  }
}
const source = (change: Context): Context => ({ ...SMALL, sources: [{ ...SOURCE, ...change }] });
const bucket = (change: Context): Context => ({ ...SMALL, bucket: { kind: 'new', ...change } });

test.each([
  ['that cdk.json holds', sampleContext()],
  ['that is small', SMALL],
  ['with everything', FULL],
  ['with what exists', EXISTING],
])('the configuration %s is accepted', (_name, context) => {
  expect(mistakes(context)).toEqual([]);
});

test('account and region: configured, else of the credentials, else an example', () => {
  const { account: _account, region: _region, ...context } = SMALL;
  expect(
    readSettings(context, { CDK_DEFAULT_ACCOUNT: '444455556666', CDK_DEFAULT_REGION: 'us-east-1' }),
  ).toMatchObject({ account: '444455556666', region: 'us-east-1' });
  expect(readSettings(context, {})).toMatchObject({
    account: EXAMPLE_ACCOUNT,
    region: 'eu-central-1',
  });
  expect(readSettings(SMALL, { CDK_DEFAULT_ACCOUNT: '444455556666' }).account).toBe('111122223333');
});

test.each<[string, unknown, RegExp]>([
  ['nothing at all', undefined, /^is missing; docs\/deploy.md describes it$/],
  ['an unknown name', { ...SMALL, sizes: 1 }, /Unrecognized key: "sizes"/],
  ['no source', { ...SMALL, sources: [] }, /^sources: must name at least one source$/],
  [
    'a source without a host',
    { ...SMALL, sources: [{ ...SOURCE, host: undefined }] },
    /^sources\[0\]\.host: is required$/,
  ],
  [
    'a source name with a slash',
    source({ name: 'a/b' }),
    /^sources\[0\]\.name: must be up to 40 letters, digits and hyphens$/,
  ],
  [
    'two sources of one name',
    { ...SMALL, sources: [SOURCE, SOURCE] },
    /^sources\[1\]\.name: "shop" is the name of sources\[0\] too$/,
  ],
  [
    'names that are equal in outputs',
    {
      ...SMALL,
      sources: [
        { ...SOURCE, name: 'shop-a' },
        { ...SOURCE, name: 'shopA' },
      ],
    },
    /^sources\[1\]\.name: "shopA" is too much like "shop-a" of sources\[0\]$/,
  ],
  [
    "a folder within another source's",
    { ...SMALL, sources: [SOURCE, { ...SOURCE, name: 'stock', prefix: 'shop' }] },
    new RegExp(
      String.raw`^sources\[1\]\.prefix: its backups would be in shop/stock/ and those of ` +
        String.raw`sources\[0\] in shop/, one within the other$`,
    ),
  ],
  [
    'more sources than a stack holds',
    {
      ...SMALL,
      sources: Array.from({ length: 31 }, (_, index) => ({ ...SOURCE, name: `shop-${index}` })),
    },
    /^sources: must be 30 or fewer/,
  ],
  [
    'a secret whose name looks as if it had the six characters',
    source({ secret: 'shop/backup-reader' }),
    /^sources\[0\]\.secret: ends in a hyphen and six characters.*give its whole ARN$/,
  ],
  ['a port that is none', source({ port: 70_000 }), /^sources\[0\]\.port: must be 65535 or less$/],
  [
    'an ARN without its six characters',
    source({ secret: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:a' }),
    /^sources\[0\]\.secret: must be the name of a secret.*or its whole ARN/,
  ],
  [
    "storage below Fargate's",
    source({ ephemeralStorageGiB: 20 }),
    /^sources\[0\]\.ephemeralStorageGiB: must be from 21 to 200$/,
  ],
  [
    'memory that does not go with the CPU units',
    source({ memoryMiB: 512 }),
    /^sources\[0\]\.memoryMiB: with 1024 CPU units/,
  ],
  [
    'a schedule that is none',
    source({ schedule: { expression: 'daily' } }),
    /^sources\[0\]\.schedule\.expression: "daily": must be cron/,
  ],
  [
    'a time zone that is none',
    source({ schedule: { ...SOURCE.schedule, timeZone: 'Mars/North' } }),
    /^sources\[0\]\.schedule\.timeZone: must be a time zone such as Europe\/Berlin$/,
  ],
  [
    'a flag of mydumper that the program owns',
    source({ mydumperArguments: '--outputdir=/x' }),
    /^sources\[0\]: the program would refuse it: .*outputdir/,
  ],
  [
    'TLS to be verified without authorities',
    { ...SMALL, image: { rdsCa: false } },
    /^sources\[0\]\.tls: verify-full needs certificate authorities/,
  ],
  [
    'an unknown lock mode',
    source({ lockMode: 'some' }),
    /^sources\[0\]\.lockMode: must be auto, ftwrl/,
  ],
  [
    'a bucket of no kind',
    { ...SMALL, bucket: {} },
    /^bucket: must have kind "new" or "existing"$|^bucket\.kind: must have kind/,
  ],
  [
    'a key without KMS',
    bucket({ kmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/abc' }),
    /^bucket\.kmsKeyArn: needs encryption "kms"$/,
  ],
  [
    'a lock that outlives the backup',
    bucket({ retentionDays: 10, objectLock: { mode: 'compliance', days: 30 } }),
    /^bucket\.retentionDays: 10 days are fewer than the 30 of objectLock/,
  ],
  [
    'a move that S3 refuses',
    bucket({ transitions: [{ afterDays: 7, storageClass: 'STANDARD_IA' }] }),
    /^bucket\.transitions\[0\]\.afterDays: S3 moves objects to STANDARD_IA after 30 days/,
  ],
  [
    'a move that comes after the end',
    bucket({ retentionDays: 35, transitions: [{ afterDays: 60, storageClass: 'GLACIER' }] }),
    new RegExp(
      String.raw`^bucket\.retentionDays: backups expire after 35 days and would never move to ` +
        'GLACIER after 60$',
    ),
  ],
  [
    "a retention that another's bucket cannot keep",
    { ...EXISTING, sources: [{ ...SOURCE, retentionDays: 5 }] },
    /^sources\[0\]\.retentionDays: needs a bucket of kind "new"/,
  ],
  [
    'a gateway without route tables',
    { ...SMALL, network: { ...(EXISTING.network as object), routeTableIds: [] } },
    /^network\.routeTableIds: must name the route table of each subnet/,
  ],
  [
    'subnets without their zones',
    { ...SMALL, network: { ...(EXISTING.network as object), availabilityZones: ['a', 'b'] } },
    /^network\.availabilityZones: must name one zone for each subnet$/,
  ],
  [
    'a look-up without an account',
    {
      ...SMALL,
      account: undefined,
      network: {
        kind: 'lookup',
        vpcId: 'vpc-0123456789abcdef0',
        subnetIds: ['subnet-0123456789abcdef0'],
      },
    },
    /^account: is needed to look a VPC up/,
  ],
  [
    'a log that CloudWatch does not keep so long',
    { ...SMALL, logRetentionDays: 42 },
    /^logRetentionDays: must be one of 1, 3, 5/,
  ],
  [
    "a namespace that is AWS's",
    { ...SMALL, metricsNamespace: 'AWS/Mine' },
    /^metricsNamespace: must not begin with AWS\//,
  ],
])('%s is refused with one clear line', (_case, context, line) => {
  expect(mistakes(context)).toEqual([expect.stringMatching(line)]);
});

test('all mistakes are reported at once', () => {
  const found = mistakes({
    ...SMALL,
    alarmEmail: 'nobody',
    stackName: '1',
    sources: [{ ...SOURCE, port: 0, threads: 99 }],
  });
  expect(found).toEqual([
    'stackName: must be up to 32 letters, digits and hyphens, beginning with a letter',
    'alarmEmail: must be an e-mail address',
    'sources[0].port: must be 1 or more',
    'sources[0].threads: must be from 1 to 64',
  ]);
});
