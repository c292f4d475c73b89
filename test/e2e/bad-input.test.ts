import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readOnlyManifest } from '../support/backup-folder.ts';
import { generationOf } from '../support/installed-tools.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { logLines, runProgram } from '../support/program.ts';
import { BUCKET, manifestKeys, startWorld, type World } from './world.ts';

let db: MariaDb;
let world: World;
/** Takes the place of MySQL and counts the connections. */
let door: Server;
let visitors: number;
let doorPort: string;

beforeAll(async () => {
  db = await startMariaDb();
  await db.query('CREATE DATABASE shop');
  await db.query('CREATE TABLE shop.orders (id int PRIMARY KEY, name text)');
  await db.query("INSERT INTO shop.orders VALUES (1, 'one')");
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
  visitors = 0;
  door = createServer((socket) => {
    visitors += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  const address = door.address();
  doorPort = String(typeof address === 'object' && address !== null ? address.port : 0);
});
afterEach(async () => {
  door?.close();
  await world?.stop();
});

async function refusedLines(
  extra: Record<string, string>,
  argv: readonly string[] = [],
): Promise<string[]> {
  const { code, stdout, stderr } = await runProgram(
    world.environment({ PORT: doorPort, ...extra }),
    argv,
  );
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(visitors).toBe(0);
  expect(existsSync(world.staging)).toBe(false);
  expect(world.s3.requests).toEqual([]);
  expect(stderr).not.toContain(db.password);
  expect(stderr).not.toMatch(/\n\s+at /);
  return stderr.trimEnd().split('\n');
}

test.each<[Record<string, string>, RegExp]>([
  [{ BUCKET: '' }, /^BUCKET is required/],
  [{ BUCKET: 'No_Bucket' }, /^BUCKET="No_Bucket": must be/],
  [{ PORT: 'http' }, /^PORT="http": must be a whole number from 1 to 65535/],
  [{ THREADS: '0' }, /^THREADS="0": must be/],
  [{ STAGING_LIMIT_MB: '-5' }, /^STAGING_LIMIT_MB="-5": must be/],
  [{ CHUNK_FILE_SIZE_MB: '1.5' }, /^CHUNK_FILE_SIZE_MB="1\.5": must be/],
  [{ PART_SIZE_MB: '4' }, /^PART_SIZE_MB="4": must be a whole number from 5/],
  [{ COMPRESS: 'lz4' }, /^COMPRESS="lz4": must be one of none, gzip, zstd/],
  [{ LOCK_MODE: 'maybe' }, /^LOCK_MODE="maybe": must be one of auto/],
  [{ TLS_CA: '/nowhere/ca.pem' }, /^TLS_CA="\/nowhere\/ca\.pem": must be a readable PEM file/],
  [{ TLS_MODE: 'verify-full' }, /^TLS_MODE="verify-full": needs TLS_CA/],
  [{ MYDUMPER_ARGS: '--outputdir=/tmp' }, /^MYDUMPER_ARGS=.*refuses --outputdir: set OUTPUTDIR/],
  [{ MYDUMPER_ARGS: "--regex 'open" }, /^MYDUMPER_ARGS=.*quote that is not closed/],
  [{ PREFIX: 'a//b' }, /^PREFIX="a\/\/b": must be/],
  [{ SOURCE: '..' }, /^SOURCE="\.\.": must be/],
])('%j is refused in one line, and nothing is started', async (extra, line) => {
  expect(await refusedLines(extra)).toEqual([expect.stringMatching(line)]);
});

test('all mistakes are reported at once, a line each', async () => {
  const lines = await refusedLines({ BUCKET: '', THREADS: 'x', COMPRESS: 'rar' }, [
    '--no-such-flag',
    '1',
  ]);
  expect(lines.map((line) => line.split(/[ =:]/)[0]).toSorted()).toEqual(
    expect.arrayContaining(['--no-such-flag', 'BUCKET', 'COMPRESS', 'THREADS']),
  );
});

test('a password as a flag is refused and not repeated', async () => {
  const lines = await refusedLines({}, ['--password', 'hunter2-hunter2']);
  expect(lines.join('\n')).not.toContain('hunter2');
  expect(lines[0]).toMatch(/^--password: set PASSWORD in the environment/);
});

test('an unknown command is refused', async () => {
  expect((await refusedLines({}, ['destroy']))[0]).toMatch(/^"destroy": unknown command/);
});

test.each(['--help', '--version'])('%s works without anything set', async (flag) => {
  const { code, stdout, stderr } = await runProgram({}, [flag]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('mydumper-fargate');
});

async function refusedReason(extra: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await runProgram(world.environment(extra));
  const failures = logLines(stdout).filter(({ event }) => event === 'failed');
  expect({ code, stderr, failures: failures.length }).toEqual({ code: 3, stderr: '', failures: 1 });
  expect(await manifestKeys(world)).toEqual([]);
  expect(stdout).not.toContain(db.password);
  return String(failures[0]?.reason);
}

test('a port without a listener', async () => {
  door.close();
  expect(await refusedReason({ PORT: doorPort })).toMatch(
    /connection refused; check HOST and PORT/,
  );
});

test('a host that has no address', async () => {
  expect(await refusedReason({ HOST: 'no-such-host.invalid' })).toMatch(
    /host name has no address; check HOST/,
  );
});

test('a socket that is not there', async () => {
  expect(await refusedReason({ SOCKET: '/nowhere/mysql.sock' })).toMatch(
    /no such socket; check SOCKET/,
  );
});

test('a staging directory that cannot be made', async () => {
  const file = join(world.directory, 'file');
  writeFileSync(file, 'mine');
  expect(await refusedReason({ OUTPUTDIR: join(file, 'staging') })).toMatch(
    /OUTPUTDIR=".*": cannot be used/,
  );
  expect(await refusedReason({ OUTPUTDIR: file })).toMatch(/OUTPUTDIR=".*": cannot be used/);
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

test('a directory that is not empty and not ours is left as it is', async () => {
  mkdirSync(join(world.staging, 'photos'), { recursive: true });
  writeFileSync(join(world.staging, 'db.t.sql'), 'precious');
  expect(await refusedReason({})).toMatch(/is not empty \(.*"db\.t\.sql".*\) and not ours/);
  expect(readdirSync(world.staging).toSorted()).toEqual(['db.t.sql', 'photos']);
  expect(readFileSync(join(world.staging, 'db.t.sql'), 'utf8')).toBe('precious');
});

test('more staging than the file system has free is refused', async () => {
  expect(await refusedReason({ STAGING_LIMIT_MB: '16000000' })).toMatch(
    /only \d+ MiB are free in OUTPUTDIR/,
  );
});

test('sizes that do not fit the budget are lowered, and the log says so', async () => {
  // 1.x runs at least two threads, each with a file of at least 1 MiB.
  const smallest = generationOf() === 'classic' ? '1' : '3';
  const { code, stdout } = await runProgram(
    world.environment({
      STAGING_LIMIT_MB: smallest,
      CHUNK_FILE_SIZE_MB: '64',
      THREADS: '32',
      COMPRESS: 'none',
    }),
  );
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const notices = logLines(stdout).filter(({ event }) => event === 'notice');
  expect(notices.map(({ message }) => message)).toEqual([
    expect.stringMatching(/CHUNK_FILE_SIZE_MB=64 is lowered to \d+/),
    expect.stringMatching(/THREADS=32 is lowered to \d+/),
  ]);
});

test('LOG_LEVEL=SILENT leaves the exit code', async () => {
  const { code, stdout } = await runProgram(
    world.environment({ LOG_LEVEL: 'SILENT', DATABASES: 'nowhere' }),
  );
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
});

test('users and passwords with odd characters work, by TCP and by socket', async () => {
  const password = `q"'\\\`%s #;ä${'long'.repeat(15)}=[x]`;
  await db.query("CREATE USER `o'dd \"user`@'%' IDENTIFIED BY ?", [password]);
  await db.query("GRANT ALL ON *.* TO `o'dd \"user`@'%'");
  await db.query('CREATE USER `o\'dd "user`@localhost IDENTIFIED BY ?', [password]);
  await db.query('GRANT ALL ON *.* TO `o\'dd "user`@localhost');
  for (const extra of [{}, { SOCKET: db.socket, HOST: 'no-such-host.invalid' }]) {
    const { code, stdout } = await runProgram(
      world.environment({
        USERNAME: `o'dd "user`,
        PASSWORD: password,
        PREFIX: Object.keys(extra).join('-'),
        ...extra,
      }),
    );
    expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
    expect(stdout).not.toContain(password);
  }
  expect(await manifestKeys(world)).toHaveLength(2);
});

test('one database of several', async () => {
  await db.query('CREATE DATABASE `Shop`');
  await db.query('CREATE TABLE `Shop`.other (a int)');
  expect((await runProgram(world.environment({ DATABASES: 'shop' }))).code).toBe(0);
  const { databases, files } = await readOnlyManifest(world.s3, BUCKET);
  expect(databases).toEqual(['shop']);
  expect(new Set(files.map(({ database }) => database))).toEqual(new Set([null, 'shop']));
});
