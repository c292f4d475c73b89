import { decide, type GovernorState, gateLevel } from '../../app/governor/decide.ts';
import { type BudgetPlan, LEAST_PRESSED_BYTES } from '../../app/governor/feasibility.ts';
import { nextLookMilliseconds } from '../../app/governor/next-look.ts';
import { unfinishedFileBytes } from '../../app/mydumper/statement-size.ts';
import type { Generation } from '../../app/mydumper/version.ts';

/**
 * A dump and a network, without clock or disk.
 *
 * mydumper writes statements. Each thread writes into its own file, and closes the file when it is
 * full. Behind the gate a thread finishes at most one statement between two looks, however far
 * apart these are. Without the gate it writes at its rate for the whole time, in which the watching
 * thread may miss looks for 0.1 s.
 *
 * The network moves bytes of closed files, oldest first. When there is none, it moves bytes of the
 * largest growing file. A closed file is freed when all of it has moved. A growing file is freed at
 * once (compressed) or in whole parts.
 */
export type Scenario = {
  readonly plan: BudgetPlan;
  readonly budgetBytes: number;
  readonly generation: Generation;
  readonly compressed: boolean;
  readonly punching: boolean;
  readonly hasGate: boolean;
  readonly totalBytes: number;
  /** Bytes per second of all threads, in turn for half a second each. */
  readonly dumpRates: readonly number[];
  /** Bytes per second, in turn for two seconds each; one at least is not 0. */
  readonly networkRates: readonly number[];
  /** Shares of the largest statement, in turn. */
  readonly statementShares: readonly number[];
  /** Seconds by which looks are late, in turn; at most 0.1. */
  readonly stallSeconds: readonly number[];
  /** How long each look takes. */
  readonly lookSeconds: number;
  readonly concurrency: number;
  readonly patienceSeconds: number;
};

export type Outcome = {
  readonly finished: boolean;
  readonly fault: string | undefined;
  readonly peakStagedBytes: number;
  readonly seconds: number;
  readonly pauses: number;
  readonly longestSilenceSeconds: number;
  /** The fewest bytes written between a continuation for lack of room alone and the next pause. */
  readonly leastRunBytes: number;
};

type SimulatedFile = {
  allocatedBytes: number;
  sizeBytes: number;
  sentBytes: number;
  closed: boolean;
};

const LOOKS_UNTIL_STUCK = 400_000;

export function simulate(scenario: Scenario): Outcome {
  const { plan, budgetBytes, compressed, punching } = scenario;
  const fullBytes = unfinishedFileBytes(scenario.generation, plan.chunkMiB, plan.statementBytes);
  const { burstBytes } = plan;
  const turn = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;
  const open: (SimulatedFile | undefined)[] = Array.from({ length: plan.threads }, () => undefined);
  let closed: SimulatedFile[] = [];
  const fastest = Math.max(...scenario.dumpRates);
  let time = 0;
  let looks = 0;
  let statements = 0;
  let writtenBytes = 0;
  let peakStagedBytes = 0;
  let pauses = 0;
  let leastRunBytes = Number.POSITIVE_INFINITY;
  let resumedAtBytes: number | undefined;
  let stoppedAt: number | undefined;
  let breathedAt = 0;
  let lastReadAt = 0;
  let longestSilenceSeconds = 0;
  let gated = false;
  /**
   * The bytes that mydumper would have written at its rate by now. Negative after a statement with
   * more bytes than that.
   */
  let dueBytes = 0;

  const isDone = () => writtenBytes >= scenario.totalBytes;
  const growing = () => open.filter((file) => file !== undefined);
  const staged = () =>
    [...closed, ...growing()].reduce((sum, file) => sum + file.allocatedBytes, 0);
  const writeStatement = (thread: number): number => {
    if (isDone()) return 0;
    const bytes = Math.ceil(plan.statementBytes * turn(scenario.statementShares, statements));
    statements += 1;
    const file = open[thread] ?? { allocatedBytes: 0, sizeBytes: 0, sentBytes: 0, closed: false };
    open[thread] = file;
    file.allocatedBytes += bytes;
    file.sizeBytes += bytes;
    writtenBytes += bytes;
    lastReadAt = time;
    if (file.sizeBytes + plan.statementBytes > fullBytes || isDone()) {
      file.closed = true;
      closed.push(file);
      open[thread] = undefined;
    }
    return bytes;
  };
  const write = (seconds: number) => {
    if (gated) {
      for (let thread = 0; thread < plan.threads; thread += 1) writeStatement(thread);
      return;
    }
    dueBytes += turn(scenario.dumpRates, Math.floor(time / 0.5)) * seconds;
    for (let thread = 0; dueBytes > 0 && !isDone(); thread = (thread + 1) % plan.threads) {
      dueBytes -= writeStatement(thread);
    }
  };
  const send = (seconds: number) => {
    let capacity = turn(scenario.networkRates, Math.floor(time / 2)) * seconds;
    while (capacity > 0 && closed.length > 0) {
      const underWay = closed.slice(0, scenario.concurrency);
      const share = capacity / underWay.length;
      for (const file of underWay) {
        const bytes = Math.min(share, file.allocatedBytes - file.sentBytes);
        file.sentBytes += bytes;
        capacity -= bytes;
      }
      const left = closed.filter((file) => file.sentBytes < file.allocatedBytes);
      if (left.length === closed.length) break;
      closed = left;
    }
    if (closed.length > 0 || !punching) return;
    const largest = growing().toSorted(
      (left, right) => right.allocatedBytes - left.allocatedBytes,
    )[0];
    if (largest === undefined || !isShippable(largest)) return;
    largest.sentBytes += Math.min(capacity, largest.allocatedBytes - largest.sentBytes);
    const grain = compressed ? 1 : plan.partBytes;
    const freed = Math.floor(largest.sentBytes / grain) * grain;
    largest.allocatedBytes -= freed;
    largest.sentBytes -= freed;
  };
  const isShippable = (file: SimulatedFile) =>
    file.closed ||
    (punching && file.allocatedBytes > (compressed ? LEAST_PRESSED_BYTES : plan.partBytes));

  let fault: string | undefined;
  for (; looks < LOOKS_UNTIL_STUCK && !(isDone() && closed.length === 0); looks += 1) {
    const stagedBytes = staged();
    peakStagedBytes = Math.max(peakStagedBytes, stagedBytes);
    const state: GovernorState = {
      budgetBytes,
      stagedBytes,
      shippableBytes: [...closed, ...growing().filter(isShippable)].reduce(
        (sum, file) => sum + file.allocatedBytes,
        0,
      ),
      growthBytesPerSecond: fastest,
      reactionSeconds: 0.103,
      burstBytes,
      likelyBurstBytes: burstBytes,
      gated,
      stopped: stoppedAt !== undefined,
      stoppedSeconds: stoppedAt === undefined ? 0 : time - Math.max(stoppedAt, breathedAt),
      patienceSeconds: scenario.patienceSeconds,
      locked: false,
      lockedStopSeconds: 0,
    };
    const { action, reason } = decide(state);
    let writes = stoppedAt === undefined;
    if (!isDone()) {
      if (action === 'fail') {
        fault = reason;
        break;
      }
      if (action === 'pause' && stoppedAt === undefined) {
        stoppedAt = time;
        pauses += 1;
        writes = false;
        if (resumedAtBytes !== undefined)
          leastRunBytes = Math.min(leastRunBytes, writtenBytes - resumedAtBytes);
      }
      if (action === 'resume') {
        stoppedAt = undefined;
        writes = true;
        resumedAtBytes = /room again/.test(reason) ? writtenBytes : undefined;
      }
      if (action === 'breathe') {
        breathedAt = time;
        writes = true;
      }
      longestSilenceSeconds = Math.max(longestSilenceSeconds, time - lastReadAt);
      gated = scenario.hasGate && stagedBytes >= gateLevel(state);
    }
    const seconds =
      nextLookMilliseconds(state, scenario.lookSeconds) / 1000 + turn(scenario.stallSeconds, looks);
    if (writes && action === 'breathe' && !gated)
      for (let thread = 0; thread < plan.threads; thread += 1) writeStatement(thread);
    else if (writes) write(seconds);
    peakStagedBytes = Math.max(peakStagedBytes, staged());
    send(seconds);
    time += seconds;
  }
  return {
    finished: isDone() && closed.length === 0,
    fault,
    peakStagedBytes,
    seconds: time,
    pauses,
    longestSilenceSeconds,
    leastRunBytes,
  };
}
