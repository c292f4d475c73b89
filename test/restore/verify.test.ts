import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Manifest } from '../../app/manifest/schema.ts';
import { BUCKET } from '../e2e/world.ts';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { type Ended, runProgram } from '../support/program.ts';
import { copy, folder, kept, put, remove, useKeptBackup, world } from './kept-backup.ts';
import { databasesOf, makeBackup, restoreInto } from './setting.ts';

useKeptBackup();

/** A data file of a table with several files. */
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
 * The damage to the bucket, the fault that verify reports, and whether only a full read finds it.
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
  '%s: verify reports it, and restore does not succeed',
  async (_case, damage, reason, level) => {
    await damage();
    const { ended, result } = await verify(...(level === 'full' ? ['--full'] : []));
    expect({ code: ended.code, ok: result.ok }).toEqual({ code: 7, ok: false });
    expect(result.faults.map((fault) => fault.reason).join('\n')).toMatch(reason);
    expect(result.faults.every(({ key }) => key.startsWith(folder))).toBe(true);

    // A restore loads none of these.
    if (['an object more', 'the claim missing', 'the claim of another run'].includes(_case)) return;
    const restored = await restoreInto(world, copy);
    expect([3, 8]).toContain(restored.code);
    expect(restored.stdout).not.toContain('is restored');
    if (restored.code === 3) expect(await databasesOf(copy)).toEqual([]);
  },
);

test('a restore survives broken connections, throttling and transient errors', async () => {
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

test('a long outage ends with 8; the command resumes, a day later with --overwrite', async () => {
  const fault = world.s3.faults.add({
    operation: 'GetObject',
    key: /bulk_1\.0000[01]/,
    times: Infinity,
    action: { kind: 'error', status: 503, code: 'SlowDown' },
  });
  const options = { UPLOAD_RETRY_SECONDS: '1' };
  const broken = await restoreInto(world, copy, [], options);
  expect(broken.code).toBe(8);
  expect(broken.stdout).toContain('SlowDown');
  fault.remove();

  const runs = '`mydumper_fargate_restore`.`runs`';
  await copy.query(
    `UPDATE ${runs} SET started_at = '2020-01-01 10:00:00',
       worked_at = UTC_TIMESTAMP() - INTERVAL 25 HOUR`,
  );
  const [left] = await copy.query(`SELECT worked_at AS at FROM ${runs}`);
  const content = async () => [
    await describeServer(copy, ['shop']),
    await copy.query(`SELECT * FROM ${runs}`),
    await copy.query('SELECT * FROM `mydumper_fargate_restore`.`files`'),
  ];
  const before = await content();
  const stale = await restoreInto(world, copy, [], options);
  expect(stale.code).toBe(3);
  expect(stale.stdout).toContain(
    `begun at 2020-01-01 10:00:00 UTC, last worked at ${String(left?.at)} UTC ` +
      'and not finished (phase data)',
  );
  expect(stale.stdout).toContain('nothing was changed; --overwrite resumes it');
  expect(await content()).toEqual(before);

  const ended = await restoreInto(world, copy, ['--check', '--overwrite'], options);
  expect(ended.stdout).toContain('resuming the restore begun at 2020-01-01 10:00:00 UTC');
  expect({ code: ended.code, log: ended.code === 0 ? '' : ended.stdout }).toEqual({
    code: 0,
    log: '',
  });
  expect(
    differences(await describeServer(world.db, ['shop']), await describeServer(copy, ['shop'])),
  ).toEqual([]);
});

test('a slow network is not taken for a stalled restore', async () => {
  const source = { SOURCE: 'slow', COMPRESS: 'none', CHUNK_FILE_SIZE_MB: '1024' };
  await makeBackup(world, source);
  world.s3.setBandwidth(4e5);
  const options = { ...source, STALL_TIMEOUT_SECONDS: '2', THREADS: '1' };
  const { code, stdout } = await restoreInto(world, copy, [], options);
  world.s3.setBandwidth(undefined);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
});
