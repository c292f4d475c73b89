import type { Compression } from '../config.ts';
import { type BudgetPlan, LEAST_PRESSED_BYTES } from '../governor/feasibility.ts';
import type { WatchStats } from '../governor/protocol.ts';
import { startWatch, type Watch } from '../governor/watch.ts';
import { type Hasher, startHasher } from '../shipping/hasher.ts';
import { prologueFor } from '../shipping/prologue.ts';
import { createShipper, type Shipper } from '../shipping/shipper.ts';
import type { GrowingLimits } from '../staging/tracker.ts';
import type { DumpContext } from './dump-context.ts';

/** A growing file is worth shipping when it holds a few parts. */
const PARTS_WORTH_SHIPPING = 2;

/**
 * Starts the watching thread, the hashing thread and the shipper between them. `locked`: mydumper
 * holds locks from its start.
 */
export function startShipping(
  context: DumpContext,
  locked: boolean,
  onStats: (stats: WatchStats) => void,
): { watch: Watch; hasher: Hasher; shipper: Shipper } {
  const { config, found, staging, plan, store, folder, run, events } = context;
  const { budgetBytes } = config.staging;
  const watch = startWatch(
    {
      directory: staging.directory,
      budgetBytes,
      burstBytes: plan.burstBytes,
      likelyBurstBytes: plan.burstBytes - plan.statementBytes + found.inventory.largestRowBytes,
      growing: context.punching ? growingLimits(plan, config.compression) : undefined,
      patienceSeconds: found.inventory.patienceSeconds,
      locked,
    },
    {
      finished: (files) => shipper.add(files),
      growing: (files) => shipper.addGrowing(files),
      growth: (growth) => shipper.grown(growth),
      press: (id) => shipper.press(id),
      exceeded: (message) => events.emit('warning', { message }),
      paused: (pause) => events.emit('paused', { ...pause, budgetBytes }),
      resumed: (pause) => events.emit('resumed', { ...pause, budgetBytes }),
      stats: (stats) => {
        run.watched(stats);
        onStats(stats);
        run.sample(stats.stopped ? 'paused' : 'running');
      },
      failed: run.fail,
    },
  );
  const hasher = startHasher();
  const shipper = createShipper({
    store,
    hasher,
    watch,
    folder,
    compression: config.compression,
    prologueOf: prologueFor(found.mydumper.generation, found.inventory.databases),
    partBytes: plan.partBytes,
    concurrency: config.uploadConcurrency,
    growingConcurrency: plan.threads,
    onShipped: ({ key, dumpedBytes, storedBytes }) => {
      run.uploaded(storedBytes);
      events.emit('shipped', { key, dumpedBytes, storedBytes });
    },
    onFailed: run.fail,
  });
  return { watch, hasher, shipper };
}

function growingLimits({ partBytes }: BudgetPlan, compression: Compression): GrowingLimits {
  return {
    announceBytes: PARTS_WORTH_SHIPPING * partBytes,
    shippableBytes: compression === 'none' ? partBytes + 1 : LEAST_PRESSED_BYTES,
  };
}
