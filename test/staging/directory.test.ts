import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../app/errors.ts';
import { claimStaging } from '../../app/staging/directory.ts';
import { elsewhere } from '../support/tracked-directory.ts';

const MARKER = '.mydumper-fargate.json';
const OPTIONS = '.mydumper-fargate.cnf';
/** No process has this id: it is above what the kernel gives out. */
const NOBODY = { pid: 2 ** 30, startTicks: '1', bootId: 'another-boot' };

/** User and group without rights. */
const UNPRIVILEGED = 65534;
let directory: string;
const at = (name: string) => join(directory, name);
const put = (name: string, content = `content of ${name}`) => writeFileSync(at(name), content);
const putMarker = (owner: unknown = NOBODY) => put(MARKER, JSON.stringify(owner));

beforeEach(() => {
  directory = join(elsewhere(), 'staging');
  mkdirSync(directory);
});

/** Everything in the directory with its content. */
function picture(): Record<string, string> {
  return Object.fromEntries(
    readdirSync(directory)
      .sort()
      .map((name) => {
        const stat = lstatSync(at(name));
        return [
          name,
          stat.isFile()
            ? readFileSync(at(name), 'latin1')
            : stat.isDirectory()
              ? 'directory'
              : 'link',
        ];
      }),
  );
}

/** It is refused with all of these words, and nothing in it was touched. */
function expectRefused(...words: readonly string[]): void {
  const before = picture();
  let error: unknown;
  try {
    claimStaging(directory);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(Failure);
  const { kind, message } = error as Failure;
  expect(kind).toBe('preflight');
  for (const word of [`OUTPUTDIR="${directory}"`, ...words]) expect(message).toContain(word);
  expect(picture()).toEqual(before);
}

describe('a staging directory is taken', () => {
  test('when it is missing, with its parents, for us alone', () => {
    directory = join(directory, 'a', 'b');
    const staging = claimStaging(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(staging).toMatchObject({ directory, optionFile: at(OPTIONS), clearedBytes: 0 });
    expect(readdirSync(directory)).toEqual([MARKER]);
    expect(statSync(at(MARKER)).mode & 0o777).toBe(0o600);
  });

  test('when it is empty', () => {
    expect(claimStaging(directory).clearedBytes).toBe(0);
  });

  test('when only lost+found is in it, as on a mounted file system', () => {
    mkdirSync(at('lost+found'));
    const staging = claimStaging(directory);
    staging.clear();
    expect(readdirSync(directory)).toEqual(['lost+found']);
  });

  test('with what a dead run of ours left, which is removed with its secrets', () => {
    putMarker();
    const left = [
      'db.t.sql',
      'db.t.00001.sql',
      'db.t.00000.00001.sql.zst',
      'db.t.sql.gz',
      'db.t.dat',
      'metadata',
    ];
    const ours = [OPTIONS, '.mydumper-fargate.probe'];
    for (const name of [...left, ...ours, 'metadata.partial', 'not_updated_tables'])
      put(name, 'x'.repeat(100));
    const markerBytes = statSync(at(MARKER)).size;
    const staging = claimStaging(directory);
    expect(staging.clearedBytes).toBe(1000 + markerBytes);
    expect(readdirSync(directory)).toEqual([MARKER]);
    expect(JSON.parse(readFileSync(at(MARKER), 'utf8'))).toMatchObject({ pid: process.pid });
  });

  test.each([
    ['whose process id another process has now', () => ({ ...NOBODY, pid: process.pid })],
    [
      'that was running before the machine was restarted',
      () => ({ ...ownMarker(), bootId: 'another-boot' }),
    ],
    ['whose process id is used again', () => ({ ...ownMarker(), startTicks: '1' })],
  ])('from a run %s', (_title, owner) => {
    putMarker(owner());
    put('db.t.sql');
    expect(claimStaging(directory).clearedBytes).toBeGreaterThan(0);
    expect(readdirSync(directory)).toEqual([MARKER]);
  });

  test.each(['', '{', 'null', '[]', '"text"', '{"pid":"1"}', '\0\0\0'])(
    'from a run that died while it wrote its marker: %j',
    (content) => {
      put(MARKER, content);
      put('db.t.sql');
      claimStaging(directory);
      expect(readdirSync(directory)).toEqual([MARKER]);
    },
  );
});

/** The marker of a run that lives: this process. */
function ownMarker(): Record<string, unknown> {
  const living = join(elsewhere(), 'living');
  claimStaging(living);
  return JSON.parse(readFileSync(join(living, MARKER), 'utf8'));
}

describe('a staging directory is refused and left as it is', () => {
  test('when another program has a file in it', () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) put(name);
    expectRefused('is not empty', '"a", "b", "c" and 2 more', 'not ours');
  });

  test('when it holds a dump that is not ours', () => {
    put('db.t.sql');
    put('metadata');
    expectRefused('is not empty', '"db.t.sql", "metadata"');
  });

  test('when our secrets are in it without our marker', () => {
    put(OPTIONS);
    expectRefused('is not empty', OPTIONS);
  });

  test('when its owner lives', () => {
    putMarker(ownMarker());
    put('db.t.sql');
    expectRefused('in use by another run', `process ${process.pid}`);
  });

  test('when we have it ourselves', () => {
    claimStaging(directory);
    expectRefused('in use by another run', `process ${process.pid}`);
  });

  test.each(['notes.txt', 'db.t.sql.bak', '.hidden', 'x-metadata', '.mydumper'])(
    'when %s is among the leftovers of a dead run of ours',
    (name) => {
      putMarker();
      put('db.t.sql');
      put(OPTIONS);
      put(name);
      expectRefused('not from a backup of ours', `"${name}"`);
    },
  );

  test('when a directory with the name of a dump file is among them', () => {
    putMarker();
    mkdirSync(at('db.t.sql'));
    expectRefused('not from a backup of ours', '"db.t.sql"');
  });

  test('when a link with the name of a dump file is among them, whose target stays too', () => {
    putMarker();
    const target = join(elsewhere(), 'important');
    writeFileSync(target, 'important');
    symlinkSync(target, at('db.t.sql'));
    expectRefused('not from a backup of ours', '"db.t.sql"');
    expect(readFileSync(target, 'utf8')).toBe('important');
  });

  test('when a name in it could mislead a terminal, which is shown escaped', () => {
    put('\u001b[31m\n');
    expectRefused('"\\u001b[31m\\n"');
  });
});

describe('a path is refused as staging directory', () => {
  test('when it is a file', () => {
    put('file', 'x');
    const path = at('file');
    expect(() => claimStaging(path)).toThrow(
      `OUTPUTDIR="${path}": cannot be used as staging directory`,
    );
    expect(readFileSync(path, 'utf8')).toBe('x');
  });

  test('when one of its parents is a file', () => {
    put('file', 'x');
    expect(() => claimStaging(at('file/staging'))).toThrow(/OUTPUTDIR=".*cannot be used.*ENOTDIR/);
  });

  test('when nothing can be created there', async () => {
    // In a process of its own, which ends also if it does not come to an answer.
    const script = `import(process.argv[1])
      .then(({ claimStaging }) => claimStaging('/proc/mydumper-fargate/staging'))
      .catch((error) => console.log(error.kind, error.message));`;
    const module = new URL('../../app/staging/directory.ts', import.meta.url).href;
    const options = { timeout: 10_000, killSignal: 'SIGKILL' as const };
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script, module], options);
    expect(stdout).toMatch(/^preflight OUTPUTDIR="\/proc\/.*cannot be used/);
  });

  test('when it is of the system', () => {
    expect(() => claimStaging('/proc')).toThrow(/OUTPUTDIR="\/proc": is not empty/);
  });

  test('when we may not write to it', () => {
    chmodSync(directory, 0o500);
    // Root may write everywhere, so the test becomes another user for a moment.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) chownSync(directory, UNPRIVILEGED, UNPRIVILEGED);
    if (isRoot) process.seteuid?.(UNPRIVILEGED);
    try {
      expect(() => claimStaging(directory)).toThrow(/OUTPUTDIR=".*cannot be used.*EACCES/);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});
