import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, messageOf } from '../errors.ts';
import { isLost } from './load-errors.ts';

/** How long a server that restarts or fails over may be out of reach. */
const RECONNECT_SECONDS = 300;
const FIRST_WAIT_MILLISECONDS = 400;
const LONGEST_WAIT_MILLISECONDS = 15_000;

/** Opens a connection to a server that may be out of reach. @throws Failure `restore` */
export async function openAgain<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const until = performance.now() + RECONNECT_SECONDS * 1000;
  for (let wait = FIRST_WAIT_MILLISECONDS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MILLISECONDS)) {
    try {
      return await open();
    } catch (error) {
      signal.throwIfAborted();
      if (!isLost(error)) throw error;
      if (performance.now() > until)
        throw new Failure('restore', `${messageOf(error)}; the same command resumes the restore`, {
          cause: error,
        });
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }
}
