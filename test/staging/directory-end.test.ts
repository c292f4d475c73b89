import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { claimStaging, freeBytes } from '../../app/staging/directory.ts';
import { elsewhere } from '../support/tracked-directory.ts';

const MARKER = '.mydumper-fargate.json';

let directory: string;
const at = (name: string) => join(directory, name);
const put = (name: string) => writeFileSync(at(name), `content of ${name}`);

beforeEach(() => {
  directory = join(elsewhere(), 'staging');
});

describe('in the end', () => {
  test('clearing removes the dump and what is ours, and nothing else', () => {
    const { clear, optionFile } = claimStaging(directory);
    writeFileSync(optionFile, 'secret');
    for (const name of ['db.t.sql', 'metadata', 'notes.txt', 'db.t.sql.bak']) put(name);
    mkdirSync(at('db.u.sql'));
    const target = join(elsewhere(), 'important');
    writeFileSync(target, 'important');
    symlinkSync(target, at('db.v.sql'));
    clear();
    expect(readdirSync(directory).sort()).toEqual([
      'db.t.sql.bak',
      'db.u.sql',
      'db.v.sql',
      'notes.txt',
    ]);
    expect(readFileSync(at('notes.txt'), 'utf8')).toBe('content of notes.txt');
    expect(lstatSync(at('db.v.sql')).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toBe('important');
  });

  test('clearing twice does no harm', () => {
    const { clear } = claimStaging(directory);
    clear();
    clear();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('keeping unshipped files removes the secrets, and the next run clears the rest', () => {
    const { keepForInspection, optionFile } = claimStaging(directory);
    writeFileSync(optionFile, 'secret');
    put('db.t.sql');
    keepForInspection();
    expect(readdirSync(directory).sort()).toEqual([MARKER, 'db.t.sql']);
    expect(existsSync(optionFile)).toBe(false);
    keepForInspection();
    // As if the run that kept it were dead.
    writeFileSync(
      at(MARKER),
      JSON.stringify({ pid: 2 ** 30, startTicks: '1', bootId: 'another-boot' }),
    );
    expect(claimStaging(directory).clearedBytes).toBeGreaterThan(0);
  });
});

test('free bytes are those of the file system that holds the directory', () => {
  claimStaging(directory);
  expect(freeBytes(directory)).toBeGreaterThan(0);
  expect(() => freeBytes(at('missing'))).toThrow('ENOENT');
});
