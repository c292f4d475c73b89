import { zstdDecompressSync } from 'node:zlib';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Manifest } from '../../app/manifest/schema.ts';
import { readOnlyManifest } from '../support/backup-folder.ts';
import type { FakeStep } from '../support/fake-mydumper.ts';
import { expectFailure, runFake } from '../support/fake-run.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { logLines, runProgram } from '../support/program.ts';
import { createShop, ONE_DATABASE, played } from '../support/recording/play.ts';
import { BUCKET, startWorld, type World } from './world.ts';

let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  await db.query('CREATE DATABASE shop CHARACTER SET latin1 COLLATE latin1_german1_ci');
  await db.query('CREATE TABLE shop.orders (id int PRIMARY KEY, name text)');
  await db.query(
    "INSERT INTO shop.orders SELECT seq, repeat(';\\n', 20 + seq) FROM shop.seq_1_to_2000",
  );
  await db.query('CREATE VIEW shop.totals AS SELECT id FROM shop.orders');
  await db.query("SET SESSION sql_mode = 'ANSI_QUOTES'");
  await db.query('CREATE PROCEDURE shop.close_day() SELECT 1');
  await db.query("SET SESSION sql_mode = ''");
  await db.query("CREATE USER blind@'%' IDENTIFIED BY 'geheim'");
  await db.query("GRANT SELECT, SHOW VIEW, EVENT, LOCK TABLES ON shop.* TO blind@'%'");
  await db.query("GRANT BINLOG MONITOR ON *.* TO blind@'%'");
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(() => world?.stop());

async function makeBackup(extra: Record<string, string> = {}) {
  const { code, stdout } = await runProgram(world.environment(extra), ['backup']);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  return { manifest: await readOnlyManifest(world.s3, BUCKET), stdout };
}

/** Turns the backup into one of format 1, which had no claim. */
async function rewriteInFormat1(manifest: Manifest): Promise<void> {
  const client = new S3Client({
    endpoint: world.s3.endpoint,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret' },
  });
  const Key = `test-db/${manifest.backupId}/manifest.json`;
  const Body = JSON.stringify(inFormat1(manifest));
  try {
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: manifest.claim?.key }));
  } finally {
    client.destroy();
  }
}

function inFormat1({ server, files, ...manifest }: Manifest): { backupId: string } {
  const added = [
    'binlogMissingReason',
    'databaseDefaults',
    'narrowedBy',
    'programs',
    'programsUnseen',
    'claim',
  ];
  const rest = Object.entries(manifest).filter(([name]) => !added.includes(name));
  return {
    ...(Object.fromEntries(rest) as { backupId: string }),
    ...{ format: 1, server: { vendor: server.vendor, version: server.version } },
    ...{ files: files.map(({ largestStatementBytes: _, ...file }) => file) },
  };
}

test('the manifest holds the settings of the server, its databases and its programs', async () => {
  const { manifest } = await makeBackup();
  expect(manifest).toMatchObject({
    format: 2,
    server: { vendor: 'mariadb', uuid: null, port: db.port, lowerCaseTableNames: 0 },
    databaseDefaults: [{ name: 'shop', characterSet: 'latin1', collation: 'latin1_german1_ci' }],
    narrowedBy: [],
    programs: [
      {
        kind: 'procedure',
        database: 'shop',
        name: 'close_day',
        sqlMode: 'ANSI_QUOTES',
        databaseCollation: 'latin1_german1_ci',
      },
    ],
    programsUnseen: [],
    claim: {
      key: `test-db/${manifest.backupId}/claim.json`,
      storedBytes: 47,
      crc32: expect.stringMatching(/^.{6}==$/),
    },
  });
});

test('the manifest holds a position, or the reason why it has none', async () => {
  const { manifest } = await makeBackup();
  const [row] = await db.query('SELECT @@log_bin AS log');
  if (Number(row?.log) === 1) expect(manifest).toMatchObject({ binlogMissingReason: null });
  else expect(manifest).toMatchObject({ binlog: null, binlogMissingReason: /log_bin is OFF/ });
});

test('the largest statement of each data file is measured', async () => {
  const { manifest } = await makeBackup({ CHUNK_FILE_SIZE_MB: '1' });
  const data = manifest.files.filter(({ kind }) => kind === 'data');
  expect(data.length).toBeGreaterThan(0);
  for (const { key, largestStatementBytes } of data) {
    const text = zstdDecompressSync(await world.s3.readObject(BUCKET, key)).toString('latin1');
    const statements = text.split(';\n').map((statement) => statement.length + 1);
    expect(largestStatementBytes, key).toBe(Math.max(...statements));
  }
  for (const { kind, largestStatementBytes } of manifest.files)
    if (kind !== 'data') expect(largestStatementBytes).toBeNull();
});

test('routines that the user may not see: a warning, and a note in the manifest', async () => {
  const { manifest, stdout } = await makeBackup({
    USERNAME: 'blind',
    PASSWORD: 'geheim',
    DATABASES: 'shop',
  });
  expect(manifest.programs).toEqual([]);
  expect(manifest.programsUnseen).toHaveLength(2);
  const warnings = logLines(stdout).filter(({ event }) => event === 'warning');
  const messages = warnings.map(({ message }) => String(message));
  for (const line of manifest.programsUnseen ?? [])
    expect(messages.filter((message) => message.startsWith(`${line}; run: GRANT `))).toHaveLength(
      1,
    );
});

test('the manifest holds flags that narrow the dump; list and restore show them', async () => {
  const { manifest } = await makeBackup({ MYDUMPER_ARGS: "-dW -x '^shop'" });
  const flags = ['--no-data', '--no-views', '--regex=^shop'];
  expect(manifest.narrowedBy).toEqual(flags);
  expect(manifest.files.filter(({ kind }) => kind === 'data' || kind === 'view')).toEqual([]);

  const shown = `partial: ${flags.join(', ')}`;
  expect((await runProgram(world.environment(), ['list'])).stdout).toContain(shown);
  const json = await runProgram(world.environment(), ['list', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ backups: [{ summary: { narrowedBy: flags } }] });
  const plan = await runProgram(world.environment(), ['restore', '--dry-run', '--overwrite']);
  expect(plan.stdout).toContain(shown);
  const planned = await runProgram(world.environment(), [
    'restore',
    '--dry-run',
    '--overwrite',
    '--json',
  ]);
  expect(JSON.parse(planned.stdout)).toMatchObject({ narrowedBy: flags });
});

test('list and restore mention no flags for a whole backup', async () => {
  await makeBackup({ MYDUMPER_ARGS: '--rows=100000 -N' });
  expect((await runProgram(world.environment(), ['list'])).stdout).not.toContain('partial');
});

test('a backup of format 1 is listed, verified and planned', async () => {
  const { manifest } = await makeBackup();
  await rewriteInFormat1(manifest);
  const listed = await runProgram(world.environment(), ['list', '--json']);
  expect(JSON.parse(listed.stdout)).toMatchObject({
    backups: [{ state: 'complete', summary: { narrowedBy: null } }],
  });
  for (const argv of [
    ['verify', '--full'],
    ['restore', '--dry-run', '--overwrite'],
  ]) {
    const { code, stdout } = await runProgram(world.environment(), argv);
    expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  }
});

test.each(['mysql-schema-create.sql', 'mysql.user.00000.sql', 'mysql-schema-post.sql'])(
  '%s in a dump of another database: no manifest, and the reason',
  async (name) => {
    const steps: FakeStep[] = [{ write: name, text: 'SELECT 1;\n' }, { close: name }];
    await db.query('DROP DATABASE shop');
    await createShop(db);
    const ended = await runFake(world, [...steps, ...played(ONE_DATABASE)]);
    const reason =
      `no manifest is written, since it could not be read back: file "${name}": its database ` +
      '"mysql" is not among those of the backup';
    await expectFailure(world, ended, 4, new RegExp(`^${reason}$`));
  },
);
