import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MANIFEST_NAME, RESTORE_STATE_DATABASE } from '../../app/contract.ts';
import { backupOf, RESTORING } from '../../app/database/run-lock.ts';
import { BUCKET, startWorld, type World } from '../e2e/world.ts';
import { makeBackup } from '../restore/setting.ts';
import { readOnlyManifest } from '../support/backup-folder.ts';
import { logLines, runProgram } from '../support/program.ts';
import { lineShape, shapeOf } from './shape.ts';

// A contract: scripts parse this output of a run, and these names remain in S3 and MySQL. Change
// one on purpose only, together with README.md, the runbook and the changelog.
//
// log-events.test.ts pins the form of every event without a server. This file pins the fields that
// the commands themselves choose.

let world: World;
let client: S3Client;
let folder: string;

beforeAll(async () => {
  world = await startWorld();
  client = new S3Client({
    endpoint: world.s3.endpoint,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret' },
  });
  await world.db.query('CREATE DATABASE shop');
  await world.db.query('CREATE TABLE shop.orders (id int PRIMARY KEY, name text)');
  await world.db.query("INSERT INTO shop.orders VALUES (1, 'one')");
  folder = await makeBackup(world, { PREFIX: 'nightly/eu', DATABASES: 'shop' });
});
afterAll(async () => {
  client?.destroy();
  await world?.stop();
});

/**
 * Runs a command with `--json`. Returns its exit code, its document, and its first and last lines.
 */
async function run(...argv: string[]): Promise<Record<string, unknown>> {
  const environment = world.environment({ PREFIX: 'nightly/eu' });
  const { code, stdout, stderr } = await runProgram(environment, [...argv, '--json']);
  const lines = logLines(stderr).filter(({ event }) =>
    ['started', 'succeeded', 'failed'].includes(String(event)),
  );
  const document = stdout === '' ? undefined : shapeOf(JSON.parse(stdout));
  return { code, document, lines: lines.map(lineShape) };
}

test("object keys: prefix, source, id, mydumper's file name, ending of compression", async () => {
  const { files } = await readOnlyManifest(world.s3, BUCKET);
  const keys = (await world.s3.objects(BUCKET)).map(({ key }) => key);
  const named = keys.map((key) => {
    const file = files.find((each) => each.key === key);
    const name = file === undefined ? key : key.replace(file.name, '<file of mydumper>');
    return name.replace(/\d{8}T\d{6}Z/, '<backup id>');
  });
  expect([...new Set(named)].toSorted()).toMatchSnapshot();
});

test('names in the server and of the manifest', () => {
  expect({
    manifest: MANIFEST_NAME,
    restoreState: RESTORE_STATE_DATABASE,
    lockOfABackup: backupOf('shop').name,
    lockOfABackupWithALongSource: backupOf('s'.repeat(64)).name,
    lockOfARestore: RESTORING.name,
  }).toMatchSnapshot();
});

test('list --json', async () => {
  expect(await run('list')).toMatchSnapshot();
});

test('verify --json of an intact backup', async () => {
  expect(await run('verify')).toMatchSnapshot();
});

test('verify --json of a backup with a fault', async () => {
  const Key = `${folder}extra.sql.zst`;
  const object = { Bucket: BUCKET, Key };
  await client.send(new PutObjectCommand({ ...object, Body: 'x', ChecksumAlgorithm: 'CRC32' }));
  try {
    expect(await run('verify')).toMatchSnapshot();
  } finally {
    await client.send(new DeleteObjectCommand(object));
  }
});

const COPY = ['--databases', 'shop', '--as', 'shop_copy'];

test('restore --json: the plan', async () => {
  expect(await run('restore', 'latest', ...COPY, '--dry-run')).toMatchSnapshot();
});

test('restore --json: the result, with the comparison', async () => {
  expect(await run('restore', 'latest', ...COPY, '--overwrite', '--check')).toMatchSnapshot();
});

test('a restore says which of the given variables it does not use', async () => {
  const environment = world.environment({
    PREFIX: 'nightly/eu',
    STAGING_LIMIT_MB: '64',
    MYLOADER_BIN: '/nowhere/myloader',
  });
  const argv = ['restore', 'latest', ...COPY, '--overwrite'];
  const { stdout } = await runProgram(environment, argv);
  expect(logLines(stdout)).toContainEqual(
    expect.objectContaining({
      event: 'notice',
      message:
        'STAGING_LIMIT_MB, MYLOADER_BIN are set and not used: ' +
        'a restore needs no disk and no myloader',
    }),
  );
});
