/**
 * The thread that keeps staging within its budget. It looks, decides, stops and continues mydumper.
 * It alone opens and removes staged files. It does nothing else, so that hashing, compression or
 * garbage collection elsewhere cannot delay a stop.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import { anyStopped } from '../staging/process-files.ts';
import { createTracker } from '../staging/tracker.ts';
import { createAlarm } from './alarm.ts';
import { createControl } from './control.ts';
import type { GovernorState } from './decide.ts';
import {
  afterFreeMilliseconds,
  nextLookMilliseconds,
  SHORTEST_PERIOD_MILLISECONDS,
} from './next-look.ts';
import { createPauseBook } from './pause-book.ts';
import { createProcessGroup } from './process-group.ts';
import type { FromWatch, ToWatch, WatchStart } from './protocol.ts';
import { fadingPeak, growthMeter } from './rates.ts';
import { createStepMeter } from './steps.ts';
import { standStill } from './stopped.ts';
import { askForShortSlice } from './thread-priority.ts';
import { reportWrites } from './write-events.ts';
import { createWriteGate } from './write-gate.ts';

const STATS_SECONDS = 0.1;
const PRESS_SECONDS = 0.25;
/**
 * How long staging may stay unread behind the gate while mydumper prepares its next write. Each
 * write stops mydumper, and the thread checks for that stop every time.
 */
const UNSEEN_SECONDS = 0.01;
/** The time between looks on mydumper's way to the gate, where the kernel reports each write. */
const NOTIFIED_MILLISECONDS = 5;
/** How fast a slow reaction fades. A delay on a busy machine is likely to come again. */
const REACTION_HALF_LIFE_SECONDS = 15;
/** Assumed before anything was measured. */
const FIRST_REACTION_SECONDS = 0.015;

const start = workerData as WatchStart;
const port = parentPort;
if (port === null) throw new Error('watch.worker.ts runs as a worker thread');
const send = (message: FromWatch) => port.postMessage(message);
const now = () => performance.now() / 1000;

const steps = createStepMeter();
const tracker = createTracker(start.directory, start.growing);
const gate = createWriteGate(start.directory);
/** Empty until mydumper starts. Looking begins before that, so that this thread is warm in time. */
const group = createProcessGroup(now);
const pauses = createPauseBook(start.locked);
const growth = growthMeter();
const reaction = fadingPeak(REACTION_HALF_LIFE_SECONDS, FIRST_REACTION_SECONDS);

const stats = { stagedBytes: 0, peakStagedBytes: 0, dumpedBytes: 0, longestReactionSeconds: 0 };
const dumpedBytes = () => stats.dumpedBytes;
const control = createControl({ start, group, gate, pauses, steps, send, now, dumpedBytes });

let ended = false;
/** The kernel reports writes here. */
let hasInotify = false;
let lookedAt = now();
let plannedMilliseconds = 0;
let lookSeconds = 0;
let scannedAt = 0;
let statsAt = 0;
let pressedAt = 0;
const nextLook = createAlarm(loop);

function sendStats(): void {
  send({ kind: 'stats', stats: { ...stats, ...pauses.totals(now()) } });
}

function look(): void {
  const time = now();
  const stoppedAt = pauses.since();
  const lateSeconds = Math.max(0, time - lookedAt - plannedMilliseconds / 1000);
  // Looked at before the scan: what a stopped group has written is all there is.
  const members = group.members();
  const isStopped = (gate !== undefined || !control.isLetGo()) && standStill(members);
  // The gate never stops a process that writes nothing. That process must not keep the others
  // waiting at the gate.
  const isAtGate = isStopped || (gate !== undefined && members.length > 1 && anyStopped(members));
  if (isOnItsWayToTheGate(isAtGate || control.wasWritten() || stoppedAt !== undefined, time)) {
    gate?.shut(members); // for threads that have just come
    lookedAt = now();
    plannedMilliseconds = hasInotify ? NOTIFIED_MILLISECONDS : SHORTEST_PERIOD_MILLISECONDS;
    return;
  }
  scannedAt = time;
  const scan = tracker.scan(
    group.hasEnded() ? undefined : group.openFiles,
    stoppedAt !== undefined,
  );
  stats.stagedBytes = scan.stagedBytes;
  stats.peakStagedBytes = Math.max(stats.peakStagedBytes, scan.stagedBytes);
  stats.dumpedBytes = scan.dumpedBytes;
  steps.look(scan.largestGrowth, scan.stagedBytes);
  if (isStopped) control.endStep();
  if (scan.finished.length > 0) send({ kind: 'finished', files: scan.finished });
  if (scan.growing.length > 0) send({ kind: 'growing', files: scan.growing });
  if (scan.growth.length > 0) send({ kind: 'growth', growth: scan.growth });

  lookedAt = now();
  // Close to the budget looks are a shortest period apart. This thread is also blind while a look
  // is late or takes long.
  const blindSeconds = lateSeconds + (lookedAt - time) + SHORTEST_PERIOD_MILLISECONDS / 1000;
  stats.longestReactionSeconds = Math.max(stats.longestReactionSeconds, blindSeconds);
  const state: GovernorState = {
    budgetBytes: start.budgetBytes,
    stagedBytes: scan.stagedBytes,
    shippableBytes: scan.shippableBytes,
    growthBytesPerSecond: growth.update(scan.dumpedBytes, time, stoppedAt !== undefined),
    reactionSeconds: reaction.update(blindSeconds, lookedAt),
    burstBytes: start.burstBytes,
    likelyBurstBytes: Math.max(start.likelyBurstBytes, steps.largestBytes()),
    gated: gate?.isShut() === true,
    stopped: stoppedAt !== undefined,
    stoppedSeconds: stoppedAt === undefined ? 0 : time - Math.max(stoppedAt, control.breathedAt()),
    patienceSeconds: start.patienceSeconds,
    locked: pauses.isLocked(),
    lockedStopSeconds: pauses.totals(time).lockedStopSeconds,
  };
  if (group.isRunning()) {
    control.apply(state, isAtGate);
    if (pauses.since() !== undefined && scan.closedBytes === 0) press(time);
  }
  lookSeconds = lookedAt - time;
  plannedMilliseconds = untilNextLook(state);
  if (time - statsAt >= STATS_SECONDS) {
    statsAt = time;
    sendStats();
  }
}

function untilNextLook(state: GovernorState): number {
  if (group.isRunning() && !control.isLetGo()) return SHORTEST_PERIOD_MILLISECONDS;
  const isOnItsWay = state.gated && !control.wasWritten() && pauses.since() === undefined;
  return isOnItsWay && hasInotify
    ? NOTIFIED_MILLISECONDS
    : nextLookMilliseconds(state, lookSeconds);
}

/**
 * Nothing has landed since mydumper continued, so staging has no change. The thread only checks
 * often whether mydumper has stopped at the gate.
 */
function isOnItsWayToTheGate(isStopped: boolean, time: number): boolean {
  return (
    gate?.isShut() === true && !isStopped && group.isRunning() && time - scannedAt < UNSEEN_SECONDS
  );
}

/** Only growing files are left to free staging: what the largest holds is shipped as it is. */
function press(time: number): void {
  if (time - pressedAt < PRESS_SECONDS) return;
  pressedAt = time;
  const largest = tracker.largestGrowing();
  if (largest === undefined) return;
  if (largest.isNew) send({ kind: 'growing', files: [largest.file] });
  send({ kind: 'press', id: largest.file.id });
}

function loop(): void {
  try {
    look();
  } catch (error) {
    control.fail('dump', messageOf(error));
  }
  if (!ended && !control.hasFailed()) nextLook.in(plannedMilliseconds);
}

/** Behind the gate mydumper stops for what was written, and waits for our look. */
function lookAtWrite(): void {
  hasInotify = true;
  control.noteWrite();
  if (!nextLook.isSet() || gate?.isShut() !== true || pauses.since() !== undefined) return;
  plannedMilliseconds = (now() - lookedAt) * 1000;
  nextLook.in(0);
}

/** Something was freed: the pause may be over before the next look is due. */
function lookSooner(): void {
  if (!nextLook.isSet() || pauses.since() === undefined) return;
  const sinceMilliseconds = (now() - lookedAt) * 1000;
  const waitMilliseconds = Math.max(0, afterFreeMilliseconds(lookSeconds) - sinceMilliseconds);
  if (sinceMilliseconds + waitMilliseconds >= plannedMilliseconds) return;
  plannedMilliseconds = sinceMilliseconds + waitMilliseconds;
  nextLook.in(waitMilliseconds);
}

function handle(message: ToWatch): void {
  switch (message.kind) {
    case 'mydumperStarted':
      group.started(message.processGroup);
      if (control.hasFailed()) group.signal('SIGKILL');
      return;
    case 'lease':
      try {
        send({ kind: 'leased', lease: tracker.lease(message.id) });
      } catch (error) {
        send({ kind: 'leaseFailed', id: message.id, reason: messageOf(error) });
      }
      return;
    case 'free':
      tracker.free(message.id, message.bytes);
      lookSooner();
      return;
    case 'release':
      try {
        tracker.release(message.id);
        send({ kind: 'released', id: message.id });
        lookSooner();
      } catch (error) {
        send({ kind: 'releaseFailed', id: message.id, reason: messageOf(error) });
      }
      return;
    case 'locksReleased':
      pauses.locksReleased(now());
      return;
    case 'mydumperExited':
      group.ended();
      pauses.end(now());
      // A listing that raced with a rename may have missed a file. The next listing finds it, since
      // mydumper renames nothing any more.
      nextLook.clear();
      loop();
      sendStats();
      send({ kind: 'drained' });
      return;
    case 'end':
      nextLook.clear();
      ended = true;
      sendStats();
      gate?.end();
      endEvents();
      port?.close();
  }
}

const endEvents = gate === undefined ? () => {} : reportWrites(start.directory, lookAtWrite);
askForShortSlice();
port.on('message', handle);
loop();
send({ kind: 'ready', gate: gate !== undefined });
