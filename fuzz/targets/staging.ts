import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { isOurs } from '../../app/staging/directory.ts';
import { createTracker } from '../../app/staging/tracker.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

/** A name as bytes, which need not be UTF-8. */
const name = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: hostileText(6).map((text) => Buffer.from(text)) },
      {
        weight: 1,
        arbitrary: fc.uint8Array({ minLength: 1, maxLength: 8 }).map((raw) => Buffer.from(raw)),
      },
    ),
    fc.constantFrom('.sql', '.sql', '.sql', '.dat', '', '.00001.sql', '-schema.sql'),
  )
  .map(([stem, end]) => Buffer.concat([stem, Buffer.from(end)]).subarray(0, 255))
  .filter(
    (bytes) =>
      bytes.length > 0 &&
      !bytes.includes(0) &&
      !bytes.includes(47) &&
      !['.', '..'].includes(bytes.toString('latin1')),
  );
const entry = fc.record({
  name,
  kind: fc.constantFrom('file', 'file', 'file', 'file', 'link', 'directory', 'fifo'),
});

/**
 * Every entry in staging is tracked as the regular file it is, or the scan ends with a reason. No
 * entry is skipped.
 */
export const staging: Target = {
  name: 'staging',
  quickCases: 100,
  open: () => {
    const root = mkdtempSync(join(tmpdir(), 'mf-fuzz-'));
    const secret = join(root, 'secret');
    writeFileSync(secret, 'not to be shipped');
    let turn = 0;
    return {
      close: () => rmSync(root, { recursive: true, force: true }),
      property: fc.property(fc.array(entry, { minLength: 1, maxLength: 4 }), (entries) => {
        turn += 1;
        const directory = join(root, `case-${turn}`);
        mkdirSync(directory);
        try {
          for (const each of entries) {
            const path = Buffer.concat([Buffer.from(`${directory}/`), each.name]);
            if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
            if (each.kind === 'file') writeFileSync(path, 'rows');
            else if (each.kind === 'link') symlinkSync(secret, path);
            else if (each.kind === 'directory') mkdirSync(path);
            else if (
              path.toString('utf8').isWellFormed() &&
              Buffer.from(path.toString('utf8')).equals(path)
            )
              execFileSync('mkfifo', ['--', path.toString('utf8')]);
          }
          judge(directory);
        } finally {
          rmSync(directory, { recursive: true, force: true });
        }
      }),
    };
  },
};

function judge(directory: string): void {
  const there = readdirSync(directory, { encoding: 'buffer' });
  const tracker = createTracker(directory);
  let finished: ReturnType<typeof tracker.scan>['finished'];
  try {
    ({ finished } = tracker.scan(undefined));
  } catch (error) {
    assert.match(String(error), /staging directory/);
    return;
  }
  const names = finished.map((file) => file.name);
  const others = there.filter(
    (bytes) => !isOurs(bytes.toString()) && bytes.toString() !== 'lost+found',
  );
  assert.deepEqual(names.toSorted(), others.map(String).toSorted());
  for (const file of finished) {
    const lease = tracker.lease(file.id);
    assert(fstatSync(lease.descriptor).isFile() && fstatSync(lease.descriptor).size === 4);
    tracker.release(file.id);
  }
  for (const each of readdirSync(directory)) assert(isOurs(each));
}
