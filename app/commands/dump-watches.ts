import { type LockWaitWatch, watchLockWait } from '../database/lock-wait.ts';
import type { ProcessWatch } from '../database/process-watch.ts';
import { watchStandstill } from '../database/standstill.ts';
import { Failure } from '../errors.ts';
import { watchForDeadlock } from '../mydumper/deadlock.ts';
import type { DumpContext } from './dump-context.ts';

/** Pause after a lock that mydumper did not get, so that long statements can end meanwhile. */
const LOCK_AGAIN_SECONDS = 60;

/**
 * Watches until mydumper has its locks. A long statement makes mydumper wait, and all other writers
 * wait behind mydumper.
 */
export function watchLocks({ config, mark, run }: DumpContext): Promise<LockWaitWatch> {
  return watchLockWait(config.server, mark, ({ seconds, behind }) => {
    const message =
      `mydumper waited ${Math.round(seconds)} s for its lock and other writers waited behind it; ` +
      `its request was cancelled. It waited for ${behind}; ` +
      'make backups when no long statement runs, or set LOCK_MODE';
    run.fail(
      new Failure('dump', message, { retryable: true, retryAfterSeconds: LOCK_AGAIN_SECONDS }),
    );
  });
}

/**
 * Watches for a deadlock that the server does not detect. It would last as long as the server lets
 * statements wait.
 */
export function watchForStandstill({ config, mark, run }: DumpContext): Promise<ProcessWatch> {
  return watchStandstill(config.server, mark, (seconds) => {
    const message =
      `mydumper and another session waited ${Math.round(seconds)} s for each other's tables ` +
      '(LOCK TABLES, RENAME TABLE and other DDL over several tables cause it); ' +
      'the dump was cancelled';
    run.fail(
      new Failure('dump', message, { retryable: true, retryAfterSeconds: LOCK_AGAIN_SECONDS }),
    );
  });
}

/** Watches 0.10 only: no other version is known to deadlock. */
export function watchDeadlocks({ found, run }: DumpContext, pid: number): () => void {
  if (found.mydumper.generation !== 'classic') return () => {};
  return watchForDeadlock(pid, () => {
    run.fail(
      new Failure('dump', 'mydumper hangs: all its threads wait for each other', {
        retryable: true,
      }),
    );
  });
}
