import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { GrowingLimits } from '../../app/staging/tracker.ts';
import { trackDirectory } from '../support/tracked-directory.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** A growing file is announced at 2 MiB; shipping it would free disk from 1 MiB on. */
const LIMITS: GrowingLimits = { announceBytes: 2 * MIB, shippableBytes: MIB };

const filled = (bytes: number) => Buffer.alloc(bytes, 'x');

test('a large enough growing file is announced once, and never reported finished later', () => {
  const { scan, write, close } = trackDirectory(LIMITS);
  const id = write('db.t.sql', filled(2 * MIB - 4 * KIB));
  expect(scan().growing).toEqual([]);
  write('db.t.sql', filled(4 * KIB));
  expect(scan().growing).toEqual([{ id, name: 'db.t.sql', sizeBytes: 2 * MIB }]);
  write('db.t.sql', filled(MIB));
  expect(scan().growing).toEqual([]);
  close('db.t.sql');
  expect(scan()).toMatchObject({ growing: [], finished: [] });
});

test('without limits no growing file is announced, and open files are not shippable', () => {
  const { tracker, scan, write } = trackDirectory();
  write('db.t.sql', filled(3 * MIB));
  expect(scan()).toMatchObject({ growing: [], shippableBytes: 0 });
  expect(tracker.largestGrowing()).toBeUndefined();
});

test('metadata is not shipped before the end however large it grows', () => {
  const { tracker, scan, write } = trackDirectory(LIMITS);
  write('metadata.partial', filled(4 * MIB));
  expect(scan()).toMatchObject({ growing: [], shippableBytes: 0 });
  expect(tracker.largestGrowing()).toBeUndefined();
});

test('a leased growing file reports each half MiB, any growth in a stop, and its close', () => {
  const { tracker, scan, write, close } = trackDirectory(LIMITS);
  const id = write('db.t.sql', filled(2 * MIB));
  scan();
  expect(tracker.lease(id)).toMatchObject({ sizeBytes: 2 * MIB, closed: false });
  let sizeBytes = 2 * MIB;
  const grow = (bytes: number) => {
    sizeBytes += bytes;
    write('db.t.sql', filled(bytes));
  };
  grow(512 * KIB - 1);
  expect(scan().growth).toEqual([]);
  grow(1);
  expect(scan().growth).toEqual([{ id, sizeBytes, closed: false }]);
  expect(scan().growth).toEqual([]);
  grow(1);
  expect(scan(true).growth).toEqual([{ id, sizeBytes, closed: false }]);
  expect(scan(true).growth).toEqual([]);
  close('db.t.sql');
  expect(scan().growth).toEqual([{ id, sizeBytes, closed: true }]);
  expect(scan().growth).toEqual([]);
});

test('a file that was closed before anybody leased it says so when it is leased', () => {
  const { tracker, scan, write, close } = trackDirectory(LIMITS);
  const id = write('db.t.sql', filled(2 * MIB));
  scan();
  close('db.t.sql');
  expect(scan().growth).toEqual([]);
  expect(tracker.lease(id)).toMatchObject({ id, sizeBytes: 2 * MIB, closed: true });
  tracker.release(id);
  expect(scan()).toMatchObject({ stagedBytes: 0, dumpedBytes: 2 * MIB });
});

test('what was shipped of a growing file is freed while it grows on, and counts no more', () => {
  const { tracker, at, scan, write } = trackDirectory(LIMITS);
  const id = write('db.t.sql', filled(3 * MIB));
  scan();
  tracker.lease(id);
  tracker.free(id, 2 * MIB);
  expect(scan()).toMatchObject({ stagedBytes: MIB, shippableBytes: MIB, dumpedBytes: 3 * MIB });
  write('db.t.sql', filled(MIB));
  expect(scan()).toMatchObject({ stagedBytes: 2 * MIB, dumpedBytes: 4 * MIB });
  tracker.free(id, 4 * MIB);
  expect(scan()).toMatchObject({
    stagedBytes: 0,
    shippableBytes: 0,
    closedBytes: 0,
    dumpedBytes: 4 * MIB,
  });
  expect(statSync(at('db.t.sql')).size).toBe(4 * MIB);
});

test('the press takes the largest unfinished file above the limit, as new only once', () => {
  const { tracker, scan, write, close } = trackDirectory(LIMITS);
  write('db.small.sql', filled(MIB - 4 * KIB));
  scan();
  expect(tracker.largestGrowing()).toBeUndefined();
  const middle = write('db.middle.sql', filled(MIB));
  const large = write('db.large.sql', filled(MIB + 4 * KIB));
  write('db.finished.sql', filled(3 * MIB));
  close('db.finished.sql');
  scan();
  expect(tracker.largestGrowing()).toMatchObject({ file: { id: large }, isNew: true });
  expect(tracker.largestGrowing()).toMatchObject({ file: { id: large }, isNew: false });
  tracker.lease(large);
  tracker.free(large, MIB);
  expect(tracker.largestGrowing()).toMatchObject({ file: { id: middle }, isNew: true });
  write('db.middle.sql', filled(2 * MIB));
  expect(scan().growing).toEqual([]);
});
