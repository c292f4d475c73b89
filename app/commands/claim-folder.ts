import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { CLAIM_NAME } from '../contract.ts';
import { Failure } from '../errors.ts';
import { sourcePrefix } from '../manifest/find.ts';
import type { ObjectStore, StoredObject } from '../storage/object-store.ts';

/**
 * Limit for runs of one source that start at the same moment, through servers that do not share its
 * lock.
 */
const MOST_RUNS_AT_ONCE = 5;

export type ClaimedFolder = {
  readonly startedAt: Date;
  readonly backupId: string;
  /** Key of the folder, ending in a slash. */
  readonly folder: string;
  readonly claim: StoredObject;
};

/**
 * Claims a folder for a run that starts now: writes `claim.json`, which S3 accepts from one run
 * only. When the folder is taken, the run takes the next second. It also does so when S3 did not
 * answer its own write: a role without read access cannot see which run wrote the claim.
 * @throws Failure `preflight` when the store supports no conditional writes, or refuses each of
 *   them.
 */
export async function claimFolder(
  config: Config,
  store: Pick<ObjectStore, 'claim'>,
  signal: AbortSignal,
  onTaken: (location: string) => void,
): Promise<ClaimedFolder> {
  let startedAt = new Date();
  for (let count = 1; ; count += 1) {
    const folder = folderOf(config, startedAt);
    const claim = await store.claim(`${folder}${CLAIM_NAME}`, claimBody());
    if (claim !== undefined) return { startedAt, backupId: backupIdOf(startedAt), folder, claim };
    const location = `s3://${config.store.bucket}/${folder}`;
    if (count === MOST_RUNS_AT_ONCE) throw new Failure('preflight', noneFree(config, location));
    onTaken(location);
    startedAt = await nextSecond(startedAt, signal);
  }
}

/** Key of the folder of a backup that starts at this time, ending in a slash. */
export function folderOf(config: Pick<Config, 'prefix' | 'source'>, startedAt: Date): string {
  return `${sourcePrefix(config, config.source)}${backupIdOf(startedAt)}/`;
}

/** `20261122T030000Z`: the UTC start of a run names its folder. */
export function backupIdOf(start: Date): string {
  return start.toISOString().replace(/\.\d+/, '').replace(/[-:]/g, '');
}

/** The random value gives each claim its own checksum, which the manifest records. */
function claimBody(): Buffer {
  return Buffer.from(`${JSON.stringify({ run: randomUUID() })}\n`);
}

/**
 * Waits for the next second. Returns even when the clock does not reach it: it may have been set
 * back.
 */
async function nextSecond(start: Date, signal: AbortSignal): Promise<Date> {
  const next = (Math.floor(start.getTime() / 1000) + 1) * 1000;
  await sleep(Math.min(1000, Math.max(0, next - Date.now())), undefined, { signal });
  return new Date(Math.max(next, Date.now()));
}

function noneFree({ source }: Config, location: string): string {
  return (
    `the store says that ${MOST_RUNS_AT_ONCE} folders in a row, the last ${location}, ` +
    `hold a ${CLAIM_NAME} already. Either other runs with SOURCE=${source} begin at this moment: ` +
    'give each server a SOURCE of its own. Or the store refuses every conditional write ' +
    '(If-None-Match: *): use Amazon S3 or a store that does conditional writes'
  );
}
