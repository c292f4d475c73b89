import type { Config } from '../config.ts';
import { type Inventory, readContents } from '../database/inventory.ts';
import { openOnMarked, type RunMark } from '../database/run-mark.ts';
import { Failure, messageOf } from '../errors.ts';
import type { WatchStats } from '../governor/protocol.ts';
import { type DumpLayout, inBoth, missingFromDump } from '../manifest/completeness.ts';
import { narrowsTheDump } from '../mydumper/extra-arguments.ts';
import type { ShippedFile } from '../shipping/shipper.ts';
import { listSome } from '../text.ts';

/**
 * Compares the shipped files with the objects in the server, since mydumper may leave tables out
 * and exit with 0. Ignores objects that were created or dropped during the dump. Does nothing when
 * MYDUMPER_ARGS narrows the dump.
 * @throws Failure `dump` naming the missing objects.
 */
export async function requireComplete(
  config: Config,
  mark: RunMark,
  inventory: Inventory,
  files: readonly ShippedFile[],
  layout: DumpLayout,
): Promise<void> {
  if (narrowsTheDump(config.dump.extraArguments)) return;
  const names = files.map(({ name }) => name);
  if (missingFromDump(inventory, names, layout).length === 0) return;

  const after = await readAgain(config, mark, inventory);
  const missing = missingFromDump(inBoth(inventory, after), names, layout);
  if (missing.length === 0) return;
  const shown = listSome(
    missing.map(({ description }) => description),
    3,
  );
  throw new Failure('dump', `mydumper ended with exit code 0 but left out: ${shown}`, {
    retryable: true,
  });
}

async function readAgain(config: Config, mark: RunMark, inventory: Inventory): Promise<Inventory> {
  try {
    const database = await openOnMarked(config.server, mark);
    try {
      return { ...inventory, ...(await readContents(database, inventory.databases)) };
    } finally {
      await database.close();
    }
  } catch (error) {
    throw new Failure(
      'dump',
      `cannot check the dump against the server's tables: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Compares the bytes that mydumper wrote with the bytes that S3 acknowledged. Two threads count
 * them independently.
 * @throws Failure `upload` when they differ.
 */
export function requireAllShipped(
  files: readonly ShippedFile[],
  { dumpedBytes }: Pick<WatchStats, 'dumpedBytes'>,
): void {
  const shippedBytes = files.reduce((sum, file) => sum + file.stagedBytes, 0);
  if (shippedBytes !== dumpedBytes) {
    throw new Failure(
      'upload',
      `mydumper wrote ${dumpedBytes} bytes, but ${shippedBytes} bytes were shipped`,
    );
  }
}
