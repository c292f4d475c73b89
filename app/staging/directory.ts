import { isUtf8 } from 'node:buffer';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import { listNames } from '../text.ts';
import { lockDirectory } from './directory-lock.ts';
import { isAlive, type Owner, readMarker, writeMarker } from './owner.ts';

/** Our files in the staging directory begin with this. mydumper's names never begin with it. */
export const OUR_PREFIX = '.mydumper-fargate';
/** It belongs to the file system when the directory is a mount point. */
export const LOST_AND_FOUND = 'lost+found';
/** The output directory of mydumper when it only checks its connection. */
export const CHECK_DIRECTORY = `${OUR_PREFIX}.check`;
const MARKER = `${OUR_PREFIX}.json`;
const OPTION_FILE = `${OUR_PREFIX}.cnf`;

/** What a dump may leave: mydumper's files of either generation. */
const DUMP_FILE = /(?:\.(?:sql|dat)(?:\.gz|\.zst)?|^metadata(?:\..*)?|^not_updated_tables)$/s;

export function isDumpFileName(name: string): boolean {
  return DUMP_FILE.test(name);
}

/**
 * The names in a directory.
 * @throws Error for a name that is not UTF-8. Node replaces such a name with one that does not
 *   exist, so the file would be skipped silently.
 */
export function namesIn(directory: string): string[] {
  const names = readdirSync(directory);
  if (names.some((name) => name.includes('\ufffd'))) {
    const odd = readdirSync(directory, { encoding: 'buffer' }).find((bytes) => !isUtf8(bytes));
    if (odd !== undefined)
      throw new Error(
        `${JSON.stringify(odd.toString('latin1'))} in the staging directory ` +
          'has a name that is not UTF-8',
      );
  }
  return names;
}

export type Staging = {
  readonly directory: string;
  /**
   * The path of mydumper's option file. No other place is writable in a task with a read-only root.
   */
  readonly optionFile: string;
  /** Bytes of leftovers of an earlier run of ours that were cleared. */
  readonly clearedBytes: number;
  /** Removes the dump's files and ours; what is not of that kind stays. */
  readonly clear: () => void;
  /**
   * Removes only files with secrets. Unshipped files stay, with the marker that lets the next run
   * clear them.
   */
  readonly keepForInspection: () => void;
};

export function isOurs(name: string): boolean {
  return name.startsWith(OUR_PREFIX);
}

/**
 * Takes the directory for this run, and creates it where it is missing. It clears leftovers of a
 * dead run of ours. It refuses anything else in the directory and leaves it untouched.
 * @throws Failure `preflight` naming OUTPUTDIR and the obstacle.
 */
export function claimStaging(directory: string): Staging {
  const refuse = (reason: string, cause?: unknown) =>
    new Failure('preflight', `OUTPUTDIR="${directory}": ${reason}`, { cause });
  let clearedBytes = 0;
  let lock: number | undefined;
  try {
    makeDirectory(directory);
    lock = lockDirectory(directory);
    if (lock === undefined) throw refuse(inUseBy(readMarker(join(directory, MARKER))));
    clearedBytes = clearLeftovers(directory, refuse);
    writeMarker(join(directory, MARKER));
  } catch (error) {
    if (lock !== undefined) closeSync(lock);
    if (error instanceof Failure) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && isDirectory(directory))
      throw refuse('another run has just taken it', error);
    throw refuse(`cannot be used as staging directory (${message})`, error);
  }
  const removeOptionFile = () => removeIfThere(join(directory, OPTION_FILE));
  // It holds the password, and must not outlive us even where a second signal ends us at once.
  process.once('exit', removeOptionFile);
  const unlock = () => {
    process.off('exit', removeOptionFile);
    if (lock !== undefined) closeSync(lock);
    lock = undefined;
  };
  return {
    directory,
    optionFile: join(directory, OPTION_FILE),
    clearedBytes,
    clear: () => {
      try {
        removeOptionFile();
        for (const name of contents(directory)) {
          if (isDumpFile(directory, name)) removeIfThere(join(directory, name));
        }
        removeIfThere(join(directory, MARKER));
      } finally {
        unlock();
      }
    },
    keepForInspection: () => {
      try {
        removeOptionFile();
      } finally {
        unlock();
      }
    },
  };
}

/** Bytes free for us on the file system that holds the directory. */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

function clearLeftovers(directory: string, refuse: (reason: string) => Failure): number {
  const names = namesIn(directory).filter((name) => name !== LOST_AND_FOUND);
  if (names.length === 0) return 0;
  if (!names.includes(MARKER)) {
    throw refuse(`is not empty (${listNames(names)}) and not ours; name an empty or new directory`);
  }
  const owner = readMarker(join(directory, MARKER));
  if (owner !== undefined && isAlive(owner)) throw refuse(inUseBy(owner));
  const foreign = names.filter((name) => !isOurs(name) && !isDumpFile(directory, name));
  if (foreign.length > 0) {
    throw refuse(`holds what is not from a backup of ours (${listNames(foreign)}); move that away`);
  }
  let bytes = 0;
  // The marker goes last: if we die here, the next run still knows whose the rest is.
  for (const name of [...names.filter((name) => name !== MARKER), MARKER]) {
    bytes += removeLeftover(join(directory, name));
  }
  return bytes;
}

/**
 * A file, or a directory of files: of the connection check, or of a restore before 0.2.
 * @returns its bytes.
 */
function removeLeftover(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) {
    removeIfThere(path);
    return stat?.size ?? 0;
  }
  let bytes = 0;
  for (const name of readdirSync(path))
    bytes += lstatSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0;
  rmSync(path, { recursive: true, force: true });
  return bytes;
}

function inUseBy(owner: Owner | undefined): string {
  return `is in use by another run${owner === undefined ? '' : ` (process ${owner.pid})`}`;
}

function contents(directory: string): string[] {
  return readdirSync(directory).filter((name) => name !== LOST_AND_FOUND);
}

/**
 * `mkdirSync` with `recursive` never returns where the system forbids creating anything, as below
 * /proc.
 */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && isDirectory(path)) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectory(dirname(path));
    if (!isDirectory(path)) mkdirSync(path, { mode: 0o700 });
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isDumpFile(directory: string, name: string): boolean {
  return (
    isDumpFileName(name) &&
    (lstatSync(join(directory, name), { throwIfNoEntry: false })?.isFile() ?? true)
  );
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
