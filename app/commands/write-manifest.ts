import { Failure, messageOf } from '../errors.ts';
import type { ObjectStore, StoredObject } from '../storage/object-store.ts';
import { within } from '../within.ts';
import type { RunState } from './run-state.ts';

/**
 * The share of the time that an interrupted run has (Fargate gives 30 s). The rest is for clearing
 * up and the last metrics.
 */
const ANSWER_MILLISECONDS = 10_000;

/**
 * Writes the manifest, which makes it a backup. An interruption after the start of the write cannot
 * take it back. Aborting the request would only hide its outcome. So this waits for the answer, up
 * to a limit. With the answer the backup is made, interrupted or not.
 * @throws Failure of the interruption's kind, which says so when the manifest may exist
 *   nevertheless.
 */
export async function writeManifest(
  store: Pick<ObjectStore, 'create' | 'interrupt'>,
  run: Pick<RunState, 'orFail' | 'signal'>,
  manifest: { readonly key: string; readonly location: string; readonly body: Uint8Array },
): Promise<StoredObject> {
  run.signal.throwIfAborted();
  const writing = store.create(manifest.key, manifest.body, 'application/json');
  try {
    return await run.orFail(writing);
  } catch (error) {
    if (!run.signal.aborted) throw error;
    const interruption = run.signal.reason;
    const outcome = await within(
      ANSWER_MILLISECONDS,
      writing.then(
        (stored) => ({ stored }),
        (reason: unknown) => ({ reason }),
      ),
    );
    if (outcome !== undefined && 'stored' in outcome) return outcome.stored;
    store.interrupt(interruption);
    if (!(interruption instanceof Failure)) throw interruption;
    const why = outcome === undefined ? 'S3 did not answer in time' : messageOf(outcome.reason);
    throw new Failure(
      interruption.kind,
      `${interruption.message} while the manifest was being written; ` +
        `${manifest.location} may be there, as a whole backup: ${why}`,
      {
        cause: interruption,
        ...(interruption.signal !== undefined && { signal: interruption.signal }),
      },
    );
  }
}
