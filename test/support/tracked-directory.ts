import { appendFileSync, lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type FileId, idOf } from '../../app/staging/process-files.ts';
import type { StagedFile } from '../../app/staging/tracked-file.ts';
import { createTracker, type GrowingLimits } from '../../app/staging/tracker.ts';
import { temporaryDirectory } from './program.ts';

/**
 * A tracker over its own directory, and a mydumper that the test controls. Both are removed when
 * the running test ends.
 */
export function trackDirectory(limits?: GrowingLimits) {
  const { path: directory, remove } = temporaryDirectory('mf-tracker');
  onTestFinished(remove);
  const tracker = createTracker(directory, limits);
  const open = new Set<FileId>();
  const at = (name: string) => join(directory, name);
  const idAt = (name: string): FileId => idOf(lstatSync(at(name), { bigint: true }));
  return {
    tracker,
    /** The files that mydumper has open. */
    open,
    at,
    idAt,
    scan: (isStopped?: boolean) => tracker.scan(() => open, isStopped),
    /** mydumper appends to a file, creating it where it is missing, and keeps it open. */
    write: (name: string, content: string | Buffer): FileId => {
      appendFileSync(at(name), content);
      open.add(idAt(name));
      return idAt(name);
    },
    close: (name: string) => open.delete(idAt(name)),
    /** A file that nobody has open. */
    finished: (name: string, content: string | Buffer) => writeFileSync(at(name), content),
  };
}

/** A directory outside of staging, gone when the running test ends. */
export function elsewhere(): string {
  const { path, remove } = temporaryDirectory('mf-elsewhere');
  onTestFinished(remove);
  return path;
}

export const namesOf = (files: readonly StagedFile[]) => files.map(({ name }) => name).sort();
