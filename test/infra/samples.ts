import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { CONTEXT_KEY, readSettings, type StackSettings } from '../../infra/config.ts';
import { BackupStack } from '../../infra/stack.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';
const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:shop/backup-AbCdEf`;
const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/00000000-1111-2222-3333-444444444444`;

/** As written in cdk.json. */
export type Context = Record<string, unknown>;

/** What cdk.json in the repository says. */
export function sampleContext(): Context {
  const { context } = JSON.parse(
    readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'),
  ) as {
    context: Record<string, Context>;
  };
  return context[CONTEXT_KEY] ?? {};
}

export const SOURCE = {
  name: 'shop',
  host: 'shop.db.internal',
  secret: SECRET,
  schedule: { expression: 'cron(0 3 * * ? *)' },
};

/** The least that can be configured. */
export const SMALL: Context = {
  account: ACCOUNT,
  region: REGION,
  bucket: { kind: 'new' },
  network: { kind: 'new' },
  sources: [SOURCE],
};

/** Everything that can be chosen, chosen otherwise. */
export const FULL: Context = {
  account: ACCOUNT,
  region: REGION,
  stackName: 'Fleet',
  prefix: 'nightly/eu',
  metricsNamespace: 'Fleet/Backups',
  logRetentionDays: 30,
  alarmEmail: 'ops@example.com',
  runbookUrl: 'https://example.com/runbook.md',
  bucket: {
    kind: 'new',
    name: 'fleet-backups',
    encryption: 'kms',
    retentionDays: 120,
    noncurrentDays: 30,
    transitions: [{ afterDays: 30, storageClass: 'STANDARD_IA' }],
    objectLock: { mode: 'governance', days: 30 },
    accessLogs: { bucket: 'fleet-logs', prefix: 'backups/' },
  },
  network: { kind: 'new', reach: 'endpoints' },
  image: {
    architecture: 'arm64',
    mydumper: 'upstream',
    version: '1.0.1-3',
    sha256: 'a'.repeat(64),
  },
  sources: [
    {
      ...SOURCE,
      securityGroupId: 'sg-0123456789abcdef0',
      secretKmsKeyArn: KEY,
      databases: ['shop', 'stock'],
      cpu: 4096,
      memoryMiB: 8192,
      ephemeralStorageGiB: 200,
      threads: 8,
      timeouts: { uploadRetrySeconds: 900, querySeconds: 60, stallSeconds: 1200 },
      objectTags: { team: 'data and more' },
      storageClass: 'GLACIER_IR',
      retentionDays: 400,
      mydumperArguments: "--rows='1000'",
      restore: {
        host: 'copy.db.internal',
        port: 3307,
        secret: 'copy/admin',
        securityGroupId: 'sg-0123456789abcdef1',
      },
    },
    {
      ...SOURCE,
      name: 'crm-2',
      prefix: 'weekly',
      schedule: {
        expression: 'cron(0 1 ? * SUN *)',
        timeZone: 'Europe/Berlin',
        flexibleMinutes: 0,
      },
    },
  ],
};

/** An existing bucket with a key of its own, and a VPC that is there already. */
export const EXISTING: Context = {
  ...SMALL,
  bucket: { kind: 'existing', name: 'our-backups', kmsKeyArn: KEY },
  network: {
    kind: 'attributes',
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a'],
    subnetIds: ['subnet-0123456789abcdef0'],
    routeTableIds: ['rtb-0123456789abcdef0'],
    interfaceEndpoints: true,
  },
};

export type Synthesised = {
  readonly settings: StackSettings;
  readonly stack: BackupStack;
  readonly template: Template;
  readonly json: TemplateJson;
};
export type Resource = {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
};
export type TemplateJson = {
  readonly Resources: Record<string, Resource>;
  readonly Outputs: Record<string, { readonly Value: unknown; readonly Description: string }>;
};

/** The template of a configuration. Each takes a second, so tests of a file share them. */
export function synthesise(context: Context): Synthesised {
  const settings = readSettings(context, {});
  const app = new App({ outdir: mkdtempSync(join(tmpdir(), 'mf-synth-')) });
  try {
    const stack = new BackupStack(app, settings);
    const template = Template.fromStack(stack);
    return { settings, stack, template, json: template.toJSON() as TemplateJson };
  } finally {
    rmSync(app.outdir, { recursive: true, force: true });
  }
}

/**
 * Synthesises under cdk-nag, as `cdk` does.
 * @throws ValidationFailed for a finding without an exception.
 */
export function synthesiseUnderNag(
  context: Context,
  change: (stack: BackupStack) => void = () => {},
): BackupStack {
  const app = new App({ outdir: mkdtempSync(join(tmpdir(), 'mf-nag-')) });
  const stack = new BackupStack(app, readSettings(context, {}));
  change(stack);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const exitCode = process.exitCode;
  try {
    app.synth();
    return stack;
  } finally {
    process.exitCode = exitCode;
    rmSync(app.outdir, { recursive: true, force: true });
  }
}

/** The properties of the only resource of a type, or of the only one whose logical id matches. */
export function only({ json }: Synthesised, type: string, id = /./): Record<string, unknown> {
  const found = Object.entries(json.Resources).filter(
    ([name, resource]) => resource.Type === type && id.test(name),
  );
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw new Error(`${found.length} of ${type} match ${id}`);
  return first[1].Properties;
}

/** All resources of a type. */
export function all({ json }: Synthesised, type: string): Record<string, unknown>[] {
  return Object.values(json.Resources)
    .filter((resource) => resource.Type === type)
    .map(({ Properties }) => Properties);
}
