import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STAGING_DIRECTORY } from '../../infra/environment.ts';
import { USER } from '../../infra/task.ts';
import { BUCKET, manifestKeys, startWorld, type World } from '../e2e/world.ts';
import { objectsOf, readOnlyManifest, unpackBackup } from '../support/backup-folder.ts';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { loadWithMyloader } from '../support/mariadb/tools.ts';
import { type Operation, startS3Server } from '../support/s3/server.ts';
import { operations } from '../support/s3/types.ts';
import { type Builder, findBuilder } from './builder.ts';

const STAGING_MIB = 32;
const DATA_MIB = 120;
/** All that the backup role's policy leaves out. */
const NOT_ALLOWED: readonly Operation[] = [
  'GetObject',
  'HeadObject',
  'HeadBucket',
  'ListObjectsV2',
  'DeleteObject',
  'DeleteObjects',
  'ListParts',
  'ListMultipartUploads',
];

/** What the restore role's policy gives, `s3:GetObject` and `s3:ListBucket`. */
const ALLOWED_TO_RESTORE: ReadonlySet<Operation> = new Set([
  'GetObject',
  'HeadObject',
  'ListObjectsV2',
]);

const found = await findBuilder().catch((error: unknown) => String(error));
const reason = typeof found === 'string' ? found : undefined;
// Where it must run, a reason not to is a failure.
if (reason !== undefined && process.env.IMAGE_TEST === 'required') throw new Error(reason);
if (reason !== undefined) process.stderr.write(`the image test is skipped: ${reason}\n`);

describe.skipIf(reason !== undefined)('the image', () => {
  const builder = found as Builder;
  let world: World;
  let copy: MariaDb;

  beforeAll(async () => {
    await builder.build({ MYDUMPER: 'debian', RDS_CA: 'none' });
    world = await startWorld({ s3: { deny: NOT_ALLOWED } });
    copy = await startMariaDb();
    await createBulkDatabase(world.db, { name: 'bulk', megabytes: DATA_MIB, tables: 6 });
  });
  afterAll(async () => {
    await copy?.stop();
    await world?.stop();
    await builder.remove();
  });

  const environment = (extra: Record<string, string> = {}) => {
    const { OUTPUTDIR: _own, ...rest } = world.environment({
      STAGING_LIMIT_MB: String(STAGING_MIB),
      COMPRESS: 'none',
      ...extra,
    });
    return rest;
  };
  const ask = async (...entrypoint: readonly string[]) => {
    const running = await builder.start({ environment: {}, entrypoint, stagingMiB: 1 });
    const { code, stdout, stderr } = await running.ended;
    return { code, said: `${stdout}${stderr}`.trim() };
  };

  test('is what the task definition takes it for', async () => {
    const config = await builder.config();
    expect(config.user).toBe(USER);
    expect(config.volumes).toEqual([STAGING_DIRECTORY]);
    expect(config.command).toEqual(['backup']);
    expect(config.entrypoint.slice(-3)).toEqual([
      'node',
      '--max-semi-space-size=2',
      '/app/app/main.ts',
    ]);
    expect(config.labels).toMatchObject({ 'org.opencontainers.image.licenses': 'Apache-2.0' });
  });

  test('runs without privileges and can write nowhere but into staging', async () => {
    expect(await ask('id', '-u')).toEqual({ code: 0, said: '10001' });
    expect((await ask('grep', '-E', 'Cap(Prm|Eff|Bnd)', '/proc/self/status')).said).toMatch(
      /^CapPrm:\t0+\nCapEff:\t0+\nCapBnd:\t0+$/,
    );
    expect(await ask('touch', '/staging/file')).toEqual({ code: 0, said: '' });
    for (const place of ['/app/file', '/tmp/file', '/file'])
      expect(await ask('touch', place)).toMatchObject({
        code: 1,
        said: expect.stringMatching(/Read-only|Permission/),
      });
  });

  test('holds the tools, and of the packages only those of production', async () => {
    for (const tool of ['mydumper', 'myloader', 'setpriv'])
      expect(await ask(tool, '--version')).toMatchObject({ code: 0 });
    const packages = (await ask('ls', '/app/node_modules')).said.split('\n');
    expect(packages).toContain('koffi');
    for (const development of ['vitest', 'aws-cdk-lib', 'typescript', 'node'])
      expect(packages).not.toContain(development);
    expect((await ask('ls', '/app')).said.split('\n').toSorted()).toEqual([
      'app',
      'node_modules',
      'package.json',
      'sbom.cdx.json',
    ]);
    const { components } = JSON.parse((await ask('cat', '/app/sbom.cdx.json')).said) as {
      components: { name: string; group?: string }[];
    };
    const listed = components.map(({ name }) => name);
    for (const name of ['koffi', 'mysql2', 'zod']) expect(listed).toContain(name);
    for (const name of ['vitest', 'aws-cdk-lib', 'typescript', 'node'])
      expect(listed).not.toContain(name);
  });

  test('reports a bad configuration by its exit code', async () => {
    const running = await builder.start({ environment: { PORT: 'none' }, stagingMiB: 1 });
    expect(await running.ended).toMatchObject({ code: 2 });
  });

  test('ends on SIGTERM as ECS sends it, and leaves nothing that looks like a backup', async () => {
    world.s3.setBandwidth(4 * 1024 * 1024);
    const running = await builder.start({ environment: environment(), stagingMiB: STAGING_MIB });
    await running.printed('"event":"paused"');
    running.signal('SIGTERM');
    expect((await running.ended).code).toBe(143);
    world.s3.setBandwidth(undefined);
    expect(await manifestKeys(world)).toEqual([]);
    expect(await world.s3.multipartUploads(BUCKET)).toEqual([]);
  });

  test('a backup four times the size of staging, by an add-only role, loads equal', async () => {
    const running = await builder.start({
      environment: environment({ PREFIX: 'image' }),
      stagingMiB: STAGING_MIB,
    });
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({
      code: 0,
      stderr: '',
      stdout: '',
    });
    const manifest = await readOnlyManifest(world.s3, BUCKET);
    expect(manifest.staging.peakStagedBytes).toBeLessThanOrEqual(STAGING_MIB * 1024 * 1024);
    expect(manifest.totals.dumpedBytes).toBeGreaterThan(3 * STAGING_MIB * 1024 * 1024);
    expect(world.cloudwatch.sum('BackupSucceeded')).toBe(1);
    const target = join(world.directory, 'unpacked');
    await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
    expect(await loadWithMyloader(copy, target)).toMatchObject({ exitCode: 0, problems: [] });
    expect(
      differences(await describeServer(world.db, ['bulk']), await describeServer(copy, ['bulk'])),
    ).toEqual([]);
  });

  test('a restore without a disk to use, by a read-only role, is equal', async () => {
    await copy.query('DROP DATABASE IF EXISTS bulk');
    // The same objects, as the restore role sees them.
    const reading = await startS3Server({
      dir: join(world.directory, 's3'),
      buckets: [BUCKET],
      deny: operations.filter((operation) => !ALLOWED_TO_RESTORE.has(operation)),
    });
    const { STAGING_LIMIT_MB: _staging, ...rest } = environment({
      PREFIX: 'image',
      AWS_ENDPOINT_URL_S3: reading.endpoint,
      PORT: String(copy.port),
      PASSWORD: copy.password,
    });
    try {
      const running = await builder.start({
        command: ['restore', 'latest', '--check'],
        environment: rest,
        stagingMiB: 1,
      });
      const { code, stdout, stderr } = await running.ended;
      expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({
        code: 0,
        stderr: '',
        stdout: '',
      });
    } finally {
      await reading.close();
    }
    expect(
      differences(await describeServer(world.db, ['bulk']), await describeServer(copy, ['bulk'])),
    ).toEqual([]);
  });
});
