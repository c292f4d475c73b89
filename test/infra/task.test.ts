import { expect, test } from 'vitest';
import { readInvocation } from '../../app/config.ts';
import { VARIABLES } from '../../app/variables.ts';
import { all, EXISTING, FULL, only, SMALL, synthesise } from './samples.ts';

const small = synthesise(SMALL);
const full = synthesise(FULL);
const existing = synthesise(EXISTING);

type Container = Record<string, unknown> & {
  readonly Environment: { readonly Name: string; readonly Value: unknown }[];
  readonly Secrets: { readonly Name: string; readonly ValueFrom: unknown }[];
};
type Definition = Record<string, unknown> & { readonly ContainerDefinitions: [Container] };

const definition = (of = small, id = /^SourceshopBackupDefinition/) =>
  only(of, 'AWS::ECS::TaskDefinition', id) as Definition;
const environment = (of: Definition) =>
  Object.fromEntries(
    of.ContainerDefinitions[0].Environment.map(({ Name, Value }) => [
      Name,
      typeof Value === 'string' ? Value : 'a-reference',
    ]),
  );

test('a backup runs without privileges and writes into its staging volume only', () => {
  const { ContainerDefinitions, Volumes } = definition();
  expect(ContainerDefinitions).toHaveLength(1);
  expect(ContainerDefinitions[0]).toMatchObject({
    Command: ['backup'],
    ReadonlyRootFilesystem: true,
    User: '10001:10001',
    StopTimeout: 120,
    LinuxParameters: { Capabilities: { Drop: ['ALL'] }, InitProcessEnabled: true },
    MountPoints: [{ ContainerPath: '/staging', ReadOnly: false, SourceVolume: 'staging' }],
    LogConfiguration: { LogDriver: 'awslogs' },
  });
  expect(ContainerDefinitions[0]).not.toHaveProperty('Privileged');
  expect(Volumes).toEqual([{ Name: 'staging' }]);
});

test('a restore runs without privileges and has no disk to write to', () => {
  for (const of of [small, full, existing]) {
    const { ContainerDefinitions, ...restore } = definition(of, /^SourceshopRestoreDefinition/);
    expect(ContainerDefinitions).toHaveLength(1);
    expect(ContainerDefinitions[0]).toMatchObject({ ReadonlyRootFilesystem: true });
    expect(ContainerDefinitions[0]).not.toHaveProperty('MountPoints');
    expect(restore).not.toHaveProperty('Volumes');
    expect(restore).not.toHaveProperty('EphemeralStorage');
  }
});

test('a task has the size and the processor that were asked for', () => {
  expect(definition(full)).toMatchObject({
    Cpu: '4096',
    Memory: '8192',
    EphemeralStorage: { SizeInGiB: 200 },
    RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
    RequiresCompatibilities: ['FARGATE'],
    NetworkMode: 'awsvpc',
  });
  expect(definition()).toMatchObject({
    Cpu: '1024',
    Memory: '4096',
    EphemeralStorage: { SizeInGiB: 21 },
    RuntimePlatform: { CpuArchitecture: 'X86_64' },
  });
});

test('user and password come from Secrets Manager and are nowhere else', () => {
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/backup-AbCdEf';
  expect(definition().ContainerDefinitions[0].Secrets).toEqual([
    { Name: 'USERNAME', ValueFrom: `${arn}:username::` },
    { Name: 'PASSWORD', ValueFrom: `${arn}:password::` },
  ]);
  for (const each of [small, full, existing].flatMap(
    (of) => all(of, 'AWS::ECS::TaskDefinition') as Definition[],
  )) {
    expect(Object.keys(environment(each))).not.toContain('PASSWORD');
  }
});

test.each([
  ['the smallest configuration', small],
  ['one with everything', full],
  ['one with what exists', existing],
])('with %s every variable is one of the contract, and the program takes them all', (_name, of) => {
  const names: readonly string[] = VARIABLES.map(({ name }) => name);
  for (const each of all(of, 'AWS::ECS::TaskDefinition') as Definition[]) {
    const variables = environment(each);
    for (const name of Object.keys(variables)) expect(names).toContain(name);
    // The file of certificate authorities is in the image only.
    expect(
      readInvocation([], { ...variables, KMS_KEY_ID: '', TLS_CA: process.execPath }),
    ).toMatchObject({
      kind: 'run',
    });
  }
});

test('what is configured for a source reaches the program', () => {
  expect(environment(definition(full))).toEqual({
    BUCKET: 'a-reference',
    REGION: 'eu-central-1',
    PREFIX: 'nightly/eu',
    SOURCE: 'shop',
    OUTPUTDIR: '/staging',
    STAGING_LIMIT_MB: '181248',
    HOST: 'shop.db.internal',
    PORT: '3306',
    TLS_MODE: 'verify-full',
    TLS_CA: '/etc/ssl/rds/global-bundle.pem',
    DATABASES: 'shop,stock',
    MYDUMPER_ARGS: "--rows='1000'",
    CHUNK_FILE_SIZE_MB: '256',
    THREADS: '8',
    COMPRESS: 'zstd',
    LOCK_MODE: 'auto',
    METRICS_NAMESPACE: 'Fleet/Backups',
    UPLOAD_CONCURRENCY: '16',
    PART_SIZE_MB: '16',
    STORAGE_CLASS: 'GLACIER_IR',
    KMS_KEY_ID: 'a-reference',
    UPLOAD_RETRY_SECONDS: '900',
    QUERY_TIMEOUT_SECONDS: '60',
    STALL_TIMEOUT_SECONDS: '1200',
    OBJECT_TAGS: 'team=data+and+more',
  });
});

test('a restore uses the configured server and its secret, and sends no metrics', () => {
  const restore = definition(full, /^SourceshopRestoreDefinition/);
  for (const name of ['OUTPUTDIR', 'STAGING_LIMIT_MB'])
    expect(environment(restore)).not.toHaveProperty(name);
  expect(environment(restore)).toMatchObject({
    HOST: 'copy.db.internal',
    PORT: '3307',
    SOURCE: 'shop',
    PREFIX: 'nightly/eu',
    QUERY_TIMEOUT_SECONDS: '60',
    STALL_TIMEOUT_SECONDS: '1200',
    METRICS_NAMESPACE: '',
  });
  expect(JSON.stringify(restore.ContainerDefinitions[0].Secrets)).toContain(
    ':secret:copy/admin:password::',
  );
  expect(restore.ContainerDefinitions[0].Command).toEqual(['list']);
});

test('every source has tasks of its own on the one cluster', () => {
  expect(all(full, 'AWS::ECS::Cluster')).toHaveLength(1);
  expect(
    all(full, 'AWS::ECS::TaskDefinition')
      .map(({ Family }) => Family)
      .toSorted(),
  ).toEqual(['Fleet-crm-2', 'Fleet-crm-2-restore', 'Fleet-shop', 'Fleet-shop-restore']);
});

test('logs are kept for as long as configured', () => {
  expect(all(full, 'AWS::Logs::LogGroup').map(({ RetentionInDays }) => RetentionInDays)).toEqual([
    30, 30,
  ]);
});
