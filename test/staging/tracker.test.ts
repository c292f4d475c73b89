import {
  appendFileSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { namesOf, trackDirectory } from '../support/tracked-directory.ts';

const KIB = 1024;

describe('a file is called finished', () => {
  test('once, when no process has it open any more, with its size', () => {
    const { scan, write, close, idAt } = trackDirectory();
    write('db.t.sql', 'abc');
    expect(scan().finished).toEqual([]);
    const id = idAt('db.t.sql');
    close('db.t.sql');
    expect(scan().finished).toEqual([{ id, name: 'db.t.sql', sizeBytes: 3 }]);
    expect(scan().finished).toEqual([]);
  });

  test('with the size it has then, though it was written to after it was listed', () => {
    const { tracker, at, finished } = trackDirectory();
    finished('db.t.sql', 'abc');
    const { finished: found, dumpedBytes } = tracker.scan((surely) => {
      if (surely) appendFileSync(at('db.t.sql'), 'def');
      return new Set();
    });
    expect(found.map(({ sizeBytes }) => sizeBytes)).toEqual([6]);
    expect(dumpedBytes).toBe(6);
  });

  test('not when the surer look finds it open', () => {
    const { tracker, finished, idAt } = trackDirectory();
    finished('db.t.sql', 'abc');
    const open = new Set([idAt('db.t.sql')]);
    const asked: boolean[] = [];
    const { finished: found } = tracker.scan((surely) => {
      asked.push(surely);
      return surely ? open : new Set();
    });
    expect(found).toEqual([]);
    expect(asked).toEqual([false, true]);
  });

  test('later, when the sure look is not available yet; until then it counts as shippable', () => {
    const { tracker, finished, scan } = trackDirectory();
    finished('db.t.sql', 'abc');
    const now = tracker.scan((surely) => (surely ? undefined : new Set()));
    expect(now.finished).toEqual([]);
    expect(now.shippableBytes).toBeGreaterThan(0);
    expect(now.closedBytes).toBe(now.shippableBytes);
    expect(namesOf(scan().finished)).toEqual(['db.t.sql']);
  });

  test('under its new name, when mydumper renamed it before, during or after the look', () => {
    const { tracker, scan, write, close, finished, at, idAt } = trackDirectory();
    write('db.a.00001.sql', 'a');
    scan();
    close('db.a.00001.sql');
    renameSync(at('db.a.00001.sql'), at('db.a.sql'));
    expect(namesOf(scan().finished)).toEqual(['db.a.sql']);

    finished('db.b.00001.sql', 'b');
    const meanwhile = tracker.scan((surely) => {
      if (surely) renameSync(at('db.b.00001.sql'), at('db.b.sql'));
      return new Set();
    });
    expect(meanwhile.finished).toEqual([]);
    expect(namesOf(scan().finished)).toEqual(['db.b.sql']);

    finished('db.c.00001.sql', 'c');
    expect(namesOf(scan().finished)).toEqual(['db.c.00001.sql']);
    renameSync(at('db.c.00001.sql'), at('db.c.sql'));
    expect(scan().finished).toEqual([]);
    expect(tracker.lease(idAt('db.c.sql')).name).toBe('db.c.sql');
  });

  test('again when a new file takes the name of a finished one that was renamed', () => {
    const { scan, finished, at } = trackDirectory();
    finished('db.t.sql', 'first');
    scan();
    renameSync(at('db.t.sql'), at('db.u.sql'));
    finished('db.t.sql', 'second');
    const found = [...scan().finished, ...scan().finished];
    expect(found.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([['db.t.sql', 6]]);
  });

  test("while empty only after mydumper's exit, as mydumper removes empty files", () => {
    const { tracker, scan, finished, at } = trackDirectory();
    finished('db.removed.sql', '');
    finished('db.kept.sql', '');
    for (let looks = 0; looks < 5; looks += 1) expect(scan().finished).toEqual([]);
    unlinkSync(at('db.removed.sql'));
    for (let looks = 0; looks < 5; looks += 1) expect(scan().finished).toEqual([]);
    expect(namesOf(tracker.scan(undefined).finished)).toEqual(['db.kept.sql']);
  });

  test.each(['metadata', 'metadata.partial'])('only at the very end when it is %s', (name) => {
    const { tracker, scan, finished } = trackDirectory();
    finished(name, 'Started dump at: now\n');
    finished('metadata_of.t.sql', 'x');
    expect(namesOf(scan().finished)).toEqual(['metadata_of.t.sql']);
    expect(scan().shippableBytes).toBe(scan().closedBytes);
    expect(namesOf(tracker.scan(undefined).finished)).toEqual([name]);
  });
});

describe('what is in the directory', () => {
  test('counts allocated bytes, with our own files and lost+found', () => {
    const { tracker, scan, write, at } = trackDirectory();
    writeFileSync(at('.mydumper-fargate.json'), '{}');
    mkdirSync(at('lost+found'));
    write('db.t.sql', Buffer.alloc(100 * KIB, 1));
    const { stagedBytes, dumpedBytes, shippableBytes } = scan();
    const allocated = ['.mydumper-fargate.json', 'lost+found', 'db.t.sql'].map(
      (name) => statSync(at(name)).blocks * 512,
    );
    expect(stagedBytes).toBe(allocated.reduce((sum, bytes) => sum + bytes));
    expect(dumpedBytes).toBe(100 * KIB);
    expect(shippableBytes).toBe(0);
    expect(namesOf(tracker.scan(undefined).finished)).toEqual(['db.t.sql']);
  });

  test('reports which file grew most since the last look', () => {
    const { scan, write, at } = trackDirectory();
    write('db.a.sql', 'aaa');
    write('db.b.sql', 'b');
    expect(scan().largestGrowth).toEqual({ name: 'db.a.sql', bytes: 3 });
    appendFileSync(at('db.b.sql'), 'bb');
    expect(scan().largestGrowth).toEqual({ name: 'db.b.sql', bytes: 2 });
    expect(scan().largestGrowth.bytes).toBe(0);
  });

  test('is refused when it is a link or a directory', () => {
    const { scan, at } = trackDirectory();
    symlinkSync('/etc/passwd', at('db.t.sql'));
    expect(() => scan()).toThrow('"db.t.sql" in the staging directory is not a regular file');
    unlinkSync(at('db.t.sql'));
    mkdirSync(at('db.u.sql'));
    expect(() => scan()).toThrow('"db.u.sql" in the staging directory is not a regular file');
  });
});

test('a file whose name is not UTF-8, which Node cannot give back, is not passed over', () => {
  const { tracker, at, finished, scan } = trackDirectory();
  finished('shop.\ufffd.sql', 'rows');
  expect(namesOf(scan().finished)).toEqual(['shop.\ufffd.sql']);
  writeFileSync(
    Buffer.concat([Buffer.from(at('shop.')), Buffer.from([0xff]), Buffer.from('.sql')]),
    'rows',
  );
  expect(() => tracker.scan(undefined)).toThrow(/name that is not UTF-8/);
});
