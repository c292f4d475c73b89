import { readFileSync, readSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { elsewhere, namesOf, trackDirectory } from '../support/tracked-directory.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

test('a shipped file is opened, freed in parts and removed, and its bytes still count', () => {
  const { tracker, scan, finished, at, idAt } = trackDirectory();
  finished('db.t.sql', Buffer.alloc(MIB, 'x'));
  scan();
  const id = idAt('db.t.sql');
  const lease = tracker.lease(id);
  expect(lease).toMatchObject({ id, name: 'db.t.sql', sizeBytes: MIB, closed: true });

  tracker.free(id, 512 * KIB);
  expect(scan()).toMatchObject({
    stagedBytes: 512 * KIB,
    shippableBytes: 512 * KIB,
    dumpedBytes: MIB,
  });
  tracker.free(id, 256 * KIB);
  expect(scan().stagedBytes).toBe(512 * KIB);
  expect(statSync(at('db.t.sql')).size).toBe(MIB);
  const content = Buffer.alloc(2);
  readSync(lease.descriptor, content, 0, 2, 512 * KIB - 1);
  expect(content.toString('latin1')).toBe('\0x');

  tracker.release(id);
  expect(() => statSync(at('db.t.sql'))).toThrow('ENOENT');
  expect(() => readSync(lease.descriptor, content)).toThrow('EBADF');
  for (let looks = 0; looks < 5; looks += 1) {
    expect(scan()).toMatchObject({
      stagedBytes: 0,
      shippableBytes: 0,
      dumpedBytes: MIB,
      finished: [],
    });
  }
});

test('a shipped file may be renamed between being opened and being removed', () => {
  const { tracker, scan, finished, at, idAt } = trackDirectory();
  finished('db.t.00001.sql', 'abc');
  scan();
  const id = idAt('db.t.00001.sql');
  tracker.lease(id);
  renameSync(at('db.t.00001.sql'), at('db.t.sql'));
  tracker.release(id);
  expect(() => statSync(at('db.t.sql'))).toThrow('ENOENT');
  expect(scan().stagedBytes).toBe(0);
});

test('a shipped file leaves its inode number to the next one, which is another file', () => {
  const { tracker, scan, finished, idAt } = trackDirectory();
  const found: string[] = [];
  for (let round = 0; round < 20; round += 1) {
    const name = `db.t.${round}.sql`;
    finished(name, 'abc');
    found.push(...namesOf(scan().finished));
    tracker.lease(idAt(name));
    tracker.release(idAt(name));
  }
  expect(found).toHaveLength(20);
  expect(scan().dumpedBytes).toBe(60);
});

test('a missing, unleased, unfinished or replaced file cannot be shipped', () => {
  const { tracker, scan, write, finished, at, idAt } = trackDirectory();
  expect(() => tracker.lease('1:1')).toThrow('no file 1:1 in staging');
  expect(() => tracker.release('1:1')).toThrow('not being shipped');
  expect(() => tracker.free('1:1', 1)).toThrow('not being shipped');

  write('db.open.sql', 'abc');
  finished('db.t.sql', 'abc');
  scan();
  tracker.lease(idAt('db.open.sql'));
  expect(() => tracker.release(idAt('db.open.sql'))).toThrow('not being shipped');
  expect(() => tracker.release(idAt('db.t.sql'))).toThrow('not being shipped');
  expect(() => tracker.free(idAt('db.t.sql'), 1)).toThrow('not being shipped');

  const id = idAt('db.t.sql');
  finished('another', 'important');
  renameSync(at('another'), at('db.t.sql'));
  expect(() => tracker.lease(id)).toThrow('db.t.sql is no longer in the staging directory');
  expect(readFileSync(at('db.t.sql'), 'utf8')).toBe('important');
});

test('a shipped file is not opened or removed through a link that took its name', () => {
  const { tracker, scan, finished, at, idAt } = trackDirectory();
  const outside = elsewhere();
  const target = join(outside, 'important');
  writeFileSync(target, 'important');
  finished('db.a.sql', 'abc');
  finished('db.b.sql', 'abc');
  scan();
  const leased = idAt('db.a.sql');
  const waiting = idAt('db.b.sql');
  tracker.lease(leased);
  for (const name of ['db.a.sql', 'db.b.sql']) {
    renameSync(at(name), join(outside, name));
    symlinkSync(target, at(name));
  }
  expect(() => tracker.lease(waiting)).toThrow();
  expect(() => tracker.release(leased)).toThrow();
  expect(readFileSync(target, 'utf8')).toBe('important');
});
