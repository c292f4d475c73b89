import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { backupIdOf, claimFolder } from '../../app/commands/claim-folder.ts';
import { encodeCrc32 } from '../../app/storage/checksum-guard.ts';
import type { ObjectStore } from '../../app/storage/object-store.ts';
import { sampleConfig } from '../manifest/samples.ts';
import { failureOf } from '../support/s3/test-store.ts';

const CONFIG = sampleConfig();
const NEVER = new AbortController().signal;

/** The clock stays at this time, so that only the run itself can move to another second. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-22T03:00:00.990Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A store in which these folders are taken. `claims` are the writes that it received. */
function storeWith(isTaken: (key: string) => boolean) {
  const claims: { key: string; body: string }[] = [];
  const store: Pick<ObjectStore, 'claim'> = {
    claim: async (key, body) => {
      claims.push({ key, body: Buffer.from(body).toString() });
      return isTaken(key)
        ? undefined
        : { key, bytes: body.byteLength, crc32: encodeCrc32(crc32(body)) };
    },
  };
  return { store, claims };
}

test('a run claims the folder of its second', async () => {
  const { store, claims } = storeWith(() => false);
  const onTaken = vi.fn();
  const claimed = await claimFolder(CONFIG, store, NEVER, onTaken);
  expect(claimed).toMatchObject({
    startedAt: new Date('2026-11-22T03:00:00.990Z'),
    backupId: '20261122T030000Z',
    folder: 'daily/db1/20261122T030000Z/',
    claim: { key: 'daily/db1/20261122T030000Z/claim.json' },
  });
  expect(claims).toHaveLength(1);
  expect(JSON.parse(claims[0]?.body ?? '')).toEqual({
    run: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(onTaken).not.toHaveBeenCalled();
});

test('a run takes the next second for each taken folder, also with a frozen clock', async () => {
  const { store, claims } = storeWith((key) => !key.includes('T030003Z'));
  const onTaken = vi.fn();
  const claimed = await claimFolder(CONFIG, store, NEVER, onTaken);
  expect(claimed).toMatchObject({
    startedAt: new Date('2026-11-22T03:00:03Z'),
    backupId: '20261122T030003Z',
    folder: 'daily/db1/20261122T030003Z/',
  });
  expect(onTaken.mock.calls).toEqual([
    ['s3://backups/daily/db1/20261122T030000Z/'],
    ['s3://backups/daily/db1/20261122T030001Z/'],
    ['s3://backups/daily/db1/20261122T030002Z/'],
  ]);
  expect(new Set(claims.map(({ body }) => body)).size).toBe(4);
});

test('a store that calls every folder taken is refused after five', async () => {
  const { store, claims } = storeWith(() => true);
  const failure = await failureOf(claimFolder(CONFIG, store, NEVER, () => {}));
  expect(claims).toHaveLength(5);
  expect(failure.kind).toBe('preflight');
  expect(failure.lines).toEqual([
    expect.stringMatching(
      new RegExp(
        '^the store says that 5 folders in a row, the last ' +
          's3://backups/daily/db1/20261122T030004Z/, hold a claim\\.json already\\. ' +
          '.*SOURCE=db1 .*conditional writes$',
      ),
    ),
  ]);
});

test('an interruption ends the wait for the next second', async () => {
  const { store, claims } = storeWith(() => true);
  const stop = new AbortController();
  const onTaken = () => stop.abort(new Error('interrupted'));
  await expect(claimFolder(CONFIG, store, stop.signal, onTaken)).rejects.toThrow();
  expect(claims).toHaveLength(1);
});

test('the id of a backup is the second of its start in UTC, and sorts as time does', () => {
  expect(backupIdOf(new Date('2026-11-22T03:00:00.999Z'))).toBe('20261122T030000Z');
  expect(backupIdOf(new Date('2026-11-22T04:00:00+01:00'))).toBe('20261122T030000Z');
  const moment = fc.date({
    min: new Date('1970-01-01'),
    max: new Date('9999-12-31'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moment, moment, (left, right) => {
      expect(backupIdOf(left)).toMatch(/^\d{8}T\d{6}Z$/);
      if (left <= right) expect(backupIdOf(left) <= backupIdOf(right)).toBe(true);
    }),
  );
});
