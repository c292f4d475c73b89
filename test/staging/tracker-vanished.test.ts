import { closeSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FileId } from '../../app/staging/process-files.ts';
import { elsewhere, trackDirectory } from '../support/tracked-directory.ts';

test('a file may be missed by a look or two, but content that stays away is an error', () => {
  const { scan, write, at } = trackDirectory();
  const outside = elsewhere();
  const away = join(outside, 'away');
  write('db.t.sql', 'abc');
  scan();
  renameSync(at('db.t.sql'), away);
  scan();
  scan();
  renameSync(away, at('db.t.sql'));
  scan();
  renameSync(at('db.t.sql'), away);
  scan();
  scan();
  expect(() => scan()).toThrow(
    'db.t.sql vanished from the staging directory with 3 bytes not yet shipped',
  );
});

test('a file may vanish before its first byte, but what mydumper then writes is missed', () => {
  const { scan, write, at, idAt, open } = trackDirectory();
  write('db.t.sql', '');
  const descriptor = openSync(at('db.t.sql'), 'a');
  onTestFinished(() => closeSync(descriptor));
  scan();
  const id = idAt('db.t.sql');
  unlinkSync(at('db.t.sql'));
  for (let looks = 0; looks < 5; looks += 1) scan();
  writeSync(descriptor, 'rows');
  expect(() => scan()).toThrow(
    'db.t.sql vanished from the staging directory with 4 bytes not yet shipped',
  );
  open.delete(id);
  expect(() => scan()).toThrow('db.t.sql vanished');
});

test('a file may vanish while it is empty, but what mydumper writes to it last is missed', () => {
  const { tracker, scan, write, at, idAt, open } = trackDirectory();
  write('db.t.sql', '');
  const descriptor = openSync(at('db.t.sql'), 'a');
  const id = idAt('db.t.sql');
  scan();
  unlinkSync(at('db.t.sql'));
  for (let looks = 0; looks < 5; looks += 1) scan();
  const vanished = 'db.t.sql vanished from the staging directory with 4 bytes not yet shipped';
  const closing = (surely: boolean) => {
    if (!surely) return new Set<FileId>();
    writeSync(descriptor, 'rows');
    closeSync(descriptor);
    open.delete(id);
    return open;
  };
  expect(() => tracker.scan(closing)).toThrow(vanished);
});

test('a file may vanish while empty, but what mydumper wrote before it ended is missed', () => {
  const { tracker, scan, write, at } = trackDirectory();
  write('db.t.sql', '');
  const descriptor = openSync(at('db.t.sql'), 'a');
  scan();
  unlinkSync(at('db.t.sql'));
  writeSync(descriptor, 'rows');
  closeSync(descriptor);
  expect(() => tracker.scan(undefined)).toThrow(
    'db.t.sql vanished from the staging directory with 4 bytes not yet shipped',
  );
});

test('a file may vanish when it stayed empty', () => {
  const { tracker, scan, write, close, at } = trackDirectory();
  write('db.t.sql', '');
  scan();
  close('db.t.sql');
  unlinkSync(at('db.t.sql'));
  for (let looks = 0; looks < 5; looks += 1) scan();
  expect(tracker.scan(undefined)).toMatchObject({ finished: [], stagedBytes: 0 });
});

test('a file is not taken for a new file that got its inode', () => {
  const { scan, write, at, idAt } = trackDirectory();
  write('db.t.sql', 'rows');
  scan();
  const before = idAt('db.t.sql');
  const inode = () => before.split(':').slice(0, 2).join(':');
  unlinkSync(at('db.t.sql'));
  const got: string[] = [];
  for (let files = 0; files < 50 && !got.includes(inode()); files += 1) {
    const id = write(`db.u.${files}.sql`, 'rows');
    got.push(id.split(':').slice(0, 2).join(':'));
    expect(id).not.toBe(before);
  }
  scan();
  scan();
  expect(() => scan()).toThrow('db.t.sql vanished from the staging directory with 4 bytes');
});
