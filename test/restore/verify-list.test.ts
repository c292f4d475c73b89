import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Manifest } from '../../app/manifest/schema.ts';
import { BUCKET, startWorld, type World } from '../e2e/world.ts';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { type Ended, runProgram } from '../support/program.ts';
import { databasesOf, dropAll, makeBackup, restoreInto } from './setting.ts';

let world: World;
let copy: MariaDb;
let client: S3Client;
let folder: string;
let kept: Map<string, Buffer>;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb();
  await createBulkDatabase(world.db, { name: 'shop', megabytes: 4, tables: 2 });
  client = new S3Client({
    endpoint: world.s3.endpoint,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret' },
  });
  folder = await makeBackup(world, { COMPRESS: 'zstd' });
  kept = new Map();
  for (const { key } of await world.s3.objects(BUCKET))
    kept.set(key, await world.s3.readObject(BUCKET, key));
});
afterAll(async () => {
  client?.destroy();
  await copy?.stop();
  await world?.stop();
});
beforeEach(() => world.s3.faults.clear());
/** The bucket as the backup left it. */
afterEach(async () => {
  await dropAll(copy);
  for (const { key } of await world.s3.objects(BUCKET)) if (!kept.has(key)) await remove(key);
  for (const [key, body] of kept) await put(key, body);
});

const put = (Key: string, Body: Buffer | string) =>
  client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ChecksumAlgorithm: 'CRC32' }));
const remove = (Key: string) => client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));

/** A data file, of a table that has several. */
const ONE_OF_SEVERAL = /bulk_0(?:\.\d{5})+\.sql/;

function keyOf(pattern: RegExp): string {
  const key = [...kept.keys()].find((each) => pattern.test(each));
  if (key === undefined) throw new Error(`no key matches ${pattern}`);
  return key;
}

async function editManifest(edit: (manifest: Manifest) => unknown): Promise<void> {
  const manifest = JSON.parse(String(kept.get(`${folder}manifest.json`))) as Manifest;
  await put(`${folder}manifest.json`, JSON.stringify(edit(manifest) ?? manifest));
}

type Verified = { ok: boolean; faults: { key: string; reason: string }[] };

async function verify(...argv: string[]): Promise<{ ended: Ended; result: Verified }> {
  const ended = await runProgram(world.environment(), ['verify', '--json', ...argv]);
  return { ended, result: JSON.parse(ended.stdout) as Verified };
}

test('a whole backup is verified, quickly by heads and fully by reading', async () => {
  for (const argv of [['latest'], ['--full', folder.split('/').at(-2) ?? '']]) {
    const { ended, result } = await verify(...argv);
    expect({ code: ended.code, faults: result.faults }).toEqual({ code: 0, faults: [] });
  }
});

/**
 * What was done to the bucket, what verify says of it, and whether only reading everything shows
 * it.
 */
const damages: readonly [string, () => Promise<unknown>, RegExp, 'quick' | 'full'][] = [
  ['an object missing', () => remove(keyOf(ONE_OF_SEVERAL)), /^is missing$/, 'quick'],
  ['the claim missing', () => remove(`${folder}claim.json`), /^is missing$/, 'quick'],
  [
    'the claim of another run',
    () =>
      put(
        `${folder}claim.json`,
        String(kept.get(`${folder}claim.json`)).replace(/[0-9a-f]"/, 'x"'),
      ),
    /has the CRC-32/,
    'full',
  ],
  [
    'an object more',
    () => put(`${folder}shop.extra.sql.zst`, 'x'),
    /is not in the manifest/,
    'quick',
  ],
  [
    'an object truncated',
    () =>
      put(
        keyOf(ONE_OF_SEVERAL),
        (kept.get(keyOf(ONE_OF_SEVERAL)) ?? Buffer.alloc(0)).subarray(0, -9),
      ),
    /has \d+ bytes, the manifest says/,
    'quick',
  ],
  ['one byte changed', () => flip(keyOf(ONE_OF_SEVERAL)), /has the CRC-32/, 'quick'],
  [
    'a byte rotted in the store, which S3 has not noticed',
    async () => rot(keyOf(ONE_OF_SEVERAL)),
    /CRC-32|decompressed/,
    'full',
  ],
  [
    'a manifest from a later version',
    () => editManifest((manifest) => ({ ...manifest, format: 3 })),
    /later version/,
    'quick',
  ],
];

async function flip(key: string): Promise<void> {
  const body = Buffer.from(kept.get(key) ?? '');
  body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
  await put(key, body);
}

function rot(key: string): void {
  const path = world.s3.objectPath(BUCKET, key);
  const body = readFileSync(path);
  body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
  truncateSync(path, 0);
  writeFileSync(path, body);
}

test.each(damages)(
  '%s: verify tells it, and restore calls nothing done',
  async (_case, damage, reason, level) => {
    await damage();
    const { ended, result } = await verify(...(level === 'full' ? ['--full'] : []));
    expect({ code: ended.code, ok: result.ok }).toEqual({ code: 7, ok: false });
    expect(result.faults.map((fault) => fault.reason).join('\n')).toMatch(reason);
    expect(result.faults.every(({ key }) => key.startsWith(folder))).toBe(true);

    // None of these is loaded.
    if (['an object more', 'the claim missing', 'the claim of another run'].includes(_case)) return;
    const restored = await restoreInto(world, copy);
    expect([3, 8]).toContain(restored.code);
    expect(restored.stdout).not.toContain('is restored');
    if (restored.code === 3) expect(await databasesOf(copy)).toEqual([]);
  },
);

test('connections that break, throttling and errors of the moment are ridden out', async () => {
  for (const skip of [0, 7, 15])
    world.s3.faults.add({
      operation: 'GetObject',
      skip,
      times: 2,
      action: { kind: 'truncate', afterBytes: 3000 },
    });
  world.s3.faults.add({
    operation: 'GetObject',
    skip: 4,
    times: 4,
    action: { kind: 'error', status: 503, code: 'SlowDown' },
  });
  world.s3.faults.add({
    operation: ['HeadObject', 'ListObjectsV2'],
    times: 2,
    action: { kind: 'reset' },
  });
  const ended = await restoreInto(world, copy, ['--check']);
  expect({ code: ended.code, log: ended.code === 0 ? '' : ended.stdout }).toEqual({
    code: 0,
    log: '',
  });
  expect(ended.stdout).toContain('"event":"retried"');
  expect(
    differences(await describeServer(world.db, ['shop']), await describeServer(copy, ['shop'])),
  ).toEqual([]);
});

test('an outage longer than the retries ends it with 8; the same command goes on, after more than a day only with --overwrite', async () => {
  const fault = world.s3.faults.add({
    operation: 'GetObject',
    key: /bulk_1\.00001/,
    times: Infinity,
    action: { kind: 'error', status: 503, code: 'SlowDown' },
  });
  const options = { UPLOAD_RETRY_SECONDS: '1', STAGING_LIMIT_MB: '6' };
  const broken = await restoreInto(world, copy, [], options);
  expect(broken.code).toBe(8);
  expect(broken.stdout).toContain('SlowDown');
  fault.remove();

  const runs = '`mydumper_fargate_restore`.`runs`';
  await copy.query(
    `UPDATE ${runs} SET started_at = '2020-01-01 10:00:00', worked_at = UTC_TIMESTAMP() - INTERVAL 25 HOUR`,
  );
  const [left] = await copy.query(`SELECT worked_at AS at FROM ${runs}`);
  const content = async () => [
    await describeServer(copy, ['shop']),
    await copy.query(`SELECT * FROM ${runs}`),
    await copy.query('SELECT * FROM `mydumper_fargate_restore`.`pieces`'),
  ];
  const before = await content();
  const stale = await restoreInto(world, copy, [], options);
  expect(stale.code).toBe(3);
  expect(stale.stdout).toContain(
    `begun at 2020-01-01 10:00:00 UTC, last worked at ${String(left?.at)} UTC and not finished (phase data)`,
  );
  expect(stale.stdout).toContain('nothing was changed; --overwrite goes on with it');
  expect(await content()).toEqual(before);

  const ended = await restoreInto(world, copy, ['--check', '--overwrite'], options);
  expect(ended.stdout).toContain('going on with the restore begun at 2020-01-01 10:00:00 UTC');
  expect({ code: ended.code, log: ended.code === 0 ? '' : ended.stdout }).toEqual({
    code: 0,
    log: '',
  });
  expect(
    differences(await describeServer(world.db, ['shop']), await describeServer(copy, ['shop'])),
  ).toEqual([]);
});

test('list shows complete, incomplete and damaged backups of one source or of all', async () => {
  await put('test-db/20200101T000000Z/shop.t.sql', 'x');
  // As a run leaves it that failed before it had stored a file.
  await put('test-db/20200103T000000Z/claim.json', '{}');
  await put('other/20200102T000000Z/manifest.json', '{}');
  const all = await runProgram(world.environment({ SOURCE: '', HOST: '' }), ['list', '--json']);
  const { backups } = JSON.parse(all.stdout) as { backups: Record<string, unknown>[] };
  expect(backups.map(({ source, backupId, state }) => [source, backupId, state])).toEqual([
    ['other', '20200102T000000Z', 'bad manifest'],
    ['test-db', '20200101T000000Z', 'incomplete'],
    ['test-db', '20200103T000000Z', 'incomplete'],
    ['test-db', folder.split('/').at(-2), 'complete'],
  ]);
  expect(backups[3]).toMatchObject({
    summary: { databases: ['shop'], lock: 'ftwrl', compression: 'zstd' },
  });
  const before = world.s3.requests.length;
  const one = await runProgram(world.environment(), ['list']);
  expect(one.code).toBe(0);
  expect(one.stdout).toMatch(/BACKUP +AGE +SOURCE/);
  expect(one.stdout).toContain('incomplete: no manifest');
  expect(one.stdout).not.toContain('other');
  // One listing of folders, one question for each manifest, one read of each there is: never the
  // objects.
  expect(
    world.s3.requests
      .slice(before)
      .map(({ operation }) => operation)
      .toSorted(),
  ).toEqual(['GetObject', ...Array(4).fill('ListObjectsV2')]);
  expect((await runProgram(world.environment(), ['list', '--all'])).stdout).toContain('other');
});

test.each([
  [['restore', '20200101T000000Z'], {}, 3, /no backup 20200101T000000Z/],
  [['verify'], { SOURCE: 'nowhere' }, 3, /sources there: test-db/],
  [
    ['restore', '--databases', 'nowhere'],
    {},
    3,
    /\\"nowhere\\" not in the backup; it holds \\"shop\\"/,
  ],
  [['restore', '--tables', 'no*where'], {}, 3, /no table or view of the backup matches/],
  [['restore'], { MYLOADER_BIN: '/nowhere' }, 3, /MYLOADER_BIN/],
  [['restore'], { PASSWORD: 'wrong' }, 3, /cannot connect to MySQL/],
] as const)('%j with %j is refused with %i', async (argv, extra, code, reason) => {
  const ended = await restoreRun(argv, extra);
  expect(ended.code).toBe(code);
  expect(ended.stdout + ended.stderr).toMatch(reason);
});

function restoreRun(argv: readonly string[], extra: Record<string, string>): Promise<Ended> {
  return runProgram(
    world.environment({ HOST: copy.host, PORT: String(copy.port), ...extra }),
    argv,
  );
}
