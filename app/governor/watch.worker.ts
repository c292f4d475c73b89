/**
 * The thread that keeps staging within its budget: it looks, decides, stops and continues mydumper, and is the only one that
 * opens and removes staged files. It does nothing else, so that hashing, compression or garbage collection elsewhere
 * cannot delay a stop.
 */
import { parentPort, workerData } from 'node:worker_threads';
import {
  allStopped,
  anyStopped,
  collectOpenFiles,
  type FileId,
  groupMembers,
} from '../staging/process-files.ts';
import { createTracker } from '../staging/tracker.ts';
import {
  decide,
  type GovernorState,
  gateLevel,
  nextLookMilliseconds,
  SHORTEST_PERIOD_MILLISECONDS,
} from './decide.ts';
import type { FromWatch, ToWatch, WatchStart, WatchStats } from './protocol.ts';
import { fadingPeak, growthMeter } from './rates.ts';
import { createStepMeter, judgeStep } from './steps.ts';
import { stopProcesses } from './stop-signal.ts';
import { askForShortSlice } from './thread-priority.ts';
import { createWriteGate } from './write-gate.ts';

/** How often the members of mydumper's process group are looked up anew when nobody waits for it. */
const MEMBERS_SECONDS = 0.25;
/** Looking them up reads all of /proc, so at the most this share of the time goes there. */
const MEMBERS_TIME_SHARE = 0.05;
const STATS_SECONDS = 0.1;
const PRESS_SECONDS = 0.25;
/** How long a paused mydumper is let read at a time. */
const BREATH_SECONDS = 0.05;
/** How fast a slow reaction is forgotten: what delayed us once on a busy machine will again. */
const REACTION_HALF_LIFE_SECONDS = 15;
/** Assumed before anything was measured. */
const FIRST_REACTION_SECONDS = 0.015;
/** A group that does not stop within this time will not: something outside continues it. */
const STOP_DEADLINE_SECONDS = 5;

const start = workerData as WatchStart;
const port = parentPort;
if (port === null) throw new Error('watch.worker.ts runs as a worker thread');
const send = (message: FromWatch) => port.postMessage(message);
const now = () => performance.now() / 1000;

const steps = createStepMeter();
const tracker = createTracker(start.directory, start.growing);
const gate = createWriteGate(start.directory);
const growth = growthMeter();
const reaction = fadingPeak(REACTION_HALF_LIFE_SECONDS, FIRST_REACTION_SECONDS);

/** Unknown until mydumper was started; looking begins before that, so that this thread is warm when it matters. */
let processGroup: number | undefined;
let locked = start.locked;
let exited = false;
let failed = false;
let members: number[] = [];
let membersAt = 0;
let membersCostSeconds = 0;
let lookedAt = now();
let plannedMilliseconds = 0;
let stoppedAt: number | undefined;
let confirmedAt: number | undefined;
/** Since when it runs though it should stand still. */
let restlessAt: number | undefined;
let statsAt = 0;
let pressedAt = 0;
let breathedAt = 0;
let timer: NodeJS.Timeout | undefined;

const stats = {
  stagedBytes: 0,
  peakStagedBytes: 0,
  dumpedBytes: 0,
  pauses: 0,
  pausedSeconds: 0,
  longestPauseSeconds: 0,
  lockedStopSeconds: 0,
  longestReactionSeconds: 0,
};

function currentStats(time: number): WatchStats {
  const pausing = stoppedAt === undefined ? 0 : time - stoppedAt;
  return {
    ...stats,
    stopped: stoppedAt !== undefined,
    pausedSeconds: stats.pausedSeconds + pausing,
    longestPauseSeconds: Math.max(stats.longestPauseSeconds, pausing),
    lockedStopSeconds: stats.lockedStopSeconds + (locked ? pausing : 0),
  };
}

/** What the group has open; `surely` looks for new members first. Undefined when it is too soon for that, or one is just ending. */
function openFiles(surely: boolean): ReadonlySet<FileId> | undefined {
  const wait = surely ? membersCostSeconds / MEMBERS_TIME_SHARE : MEMBERS_SECONDS;
  if (!refreshMembers(wait) && surely) return undefined;
  const open = new Set<FileId>();
  return collectOpenFiles(members, open) ? open : undefined;
}

/** @returns whether the members are as of now. */
function refreshMembers(atMostEverySeconds: number): boolean {
  const from = now();
  if (processGroup === undefined || from - membersAt < atMostEverySeconds) return false;
  members = groupMembers(processGroup);
  membersAt = now();
  membersCostSeconds = membersAt - from;
  return true;
}

/** To the group, so that children of mydumper are reached too; only while mydumper is there, as ids are used again. */
function signalGroup(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  if (exited || processGroup === undefined) return;
  try {
    process.kill(-processGroup, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has just ended
  }
}

function look(): void {
  const time = now();
  const lateSeconds = Math.max(0, time - lookedAt - plannedMilliseconds / 1000);
  // Looked at before the scan: what a stopped group has written is all there is.
  const isStopped = gate !== undefined && allStopped(members);
  // A process that writes nothing is never stopped by the gate, and must not keep the others waiting there.
  const isAtGate = isStopped || (gate !== undefined && anyStopped(members));
  const scan = tracker.scan(exited ? undefined : openFiles, stoppedAt !== undefined);
  stats.stagedBytes = scan.stagedBytes;
  stats.peakStagedBytes = Math.max(stats.peakStagedBytes, scan.stagedBytes);
  stats.dumpedBytes = scan.dumpedBytes;
  steps.look(scan.largestGrowth, scan.stagedBytes);
  if (isStopped) endStep();
  if (scan.finished.length > 0) send({ kind: 'finished', files: scan.finished });
  if (scan.growing.length > 0) send({ kind: 'growing', files: scan.growing });
  if (scan.growth.length > 0) send({ kind: 'growth', growth: scan.growth });

  lookedAt = now();
  // Close to the budget looks are a shortest period apart; a look that comes late or takes long leaves us blind for that time too.
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
    stoppedSeconds: stoppedAt === undefined ? 0 : time - Math.max(stoppedAt, breathedAt),
    patienceSeconds: start.patienceSeconds,
    locked,
    lockedStopSeconds: currentStats(time).lockedStopSeconds,
  };
  if (!exited && processGroup !== undefined) {
    govern(state, isAtGate && stoppedAt === undefined);
    if (stoppedAt !== undefined && scan.closedBytes === 0) press(time);
    moveGate(state);
  }
  plannedMilliseconds = nextLookMilliseconds(state, lookedAt - time);
  if (time - statsAt >= STATS_SECONDS) {
    statsAt = time;
    send({ kind: 'stats', stats: currentStats(now()) });
  }
}

/** Far from the budget mydumper runs free; near it, it stops at each write until we have looked. */
function moveGate(state: GovernorState): void {
  if (state.stagedBytes >= gateLevel(state)) gate?.shut(members);
  else gate?.open();
}

function govern(state: GovernorState, atGate: boolean): void {
  const { action, reason } = decide(state);
  if (action === 'run' && atGate) {
    if (state.gated) steps.begin(stats.dumpedBytes);
    signalGroup('SIGCONT');
  }
  if (action === 'pause' && stoppedAt === undefined) pause(reason, state.stagedBytes);
  else if (action === 'resume') resume(reason, state.stagedBytes);
  else if (action === 'breathe') breathe();
  else if (action === 'fail') fail('staging', reason);
  if (stoppedAt !== undefined && now() - breathedAt > BREATH_SECONDS) confirmStop();
}

function endStep(): void {
  const step = steps.end(stats.dumpedBytes);
  if (step === undefined) return;
  const verdict = judgeStep(step, start.budgetBytes, start.burstBytes);
  if (verdict.kind === 'hopeless') fail('staging', verdict.reason);
  if (verdict.kind === 'exceeded') send({ kind: 'exceeded', reason: verdict.reason });
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

function pause(reason: string, stagedBytes: number): void {
  stopProcesses(members);
  signalGroup('SIGSTOP'); // whatever is not among the known members
  stoppedAt = now();
  confirmedAt = undefined;
  restlessAt = undefined;
  stats.pauses += 1;
  send({ kind: 'paused', reason, stagedBytes });
}

function resume(reason: string, stagedBytes: number): void {
  if (stoppedAt === undefined) return;
  if (gate?.isShut() === true) steps.begin(stats.dumpedBytes);
  signalGroup('SIGCONT');
  const pausedSeconds = countPause(stoppedAt);
  send({ kind: 'resumed', reason, stagedBytes, pausedSeconds });
}

function countPause(since: number): number {
  const pausedSeconds = now() - since;
  stats.pausedSeconds += pausedSeconds;
  stats.longestPauseSeconds = Math.max(stats.longestPauseSeconds, pausedSeconds);
  if (locked) stats.lockedStopSeconds += pausedSeconds;
  stoppedAt = undefined;
  return pausedSeconds;
}

/** It runs until its next write behind the gate, or for a moment, and is stopped again. */
function breathe(): void {
  breathedAt = now();
  steps.begin(stats.dumpedBytes);
  signalGroup('SIGCONT');
}

/** The kill call says nothing: a signal may be ignored or undone. Only state T in /proc counts. */
function confirmStop(): void {
  if (confirmedAt !== undefined && now() - confirmedAt < MEMBERS_SECONDS) return;
  refreshMembers(MEMBERS_SECONDS);
  if (allStopped(members)) {
    confirmedAt = now();
    restlessAt = undefined;
    return;
  }
  confirmedAt = undefined;
  restlessAt ??= now();
  if (now() - restlessAt > STOP_DEADLINE_SECONDS) {
    fail('staging', `mydumper (process group ${processGroup}) does not stop when it is sent SIGSTOP`);
  } else stopProcesses(members); // it has not been scheduled yet, or somebody continued it
}

function fail(fault: 'staging' | 'dump', reason: string): void {
  if (failed) return;
  failed = true;
  // The dump is lost; mydumper must not fill the disk or hold its locks until the main thread gets to hear of it.
  signalGroup('SIGKILL');
  send({ kind: 'failed', fault, reason });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function loop(): void {
  timer = undefined;
  try {
    look();
  } catch (error) {
    fail('dump', messageOf(error));
  }
  if (!failed) timer = setTimeout(loop, plannedMilliseconds);
}

function handle(message: ToWatch): void {
  switch (message.kind) {
    case 'mydumperStarted':
      processGroup = message.processGroup;
      members = [processGroup];
      if (failed) signalGroup('SIGKILL');
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
      return;
    case 'release':
      try {
        tracker.release(message.id);
        send({ kind: 'released', id: message.id });
      } catch (error) {
        send({ kind: 'releaseFailed', id: message.id, reason: messageOf(error) });
      }
      return;
    case 'locksReleased':
      if (locked && stoppedAt !== undefined) stats.lockedStopSeconds += now() - stoppedAt;
      locked = false;
      return;
    case 'mydumperExited':
      exited = true;
      if (stoppedAt !== undefined) countPause(stoppedAt);
      // A file missed by a listing that raced with a rename is found by the next one: nothing is renamed any more.
      clearTimeout(timer);
      loop();
      send({ kind: 'stats', stats: currentStats(now()) });
      send({ kind: 'drained' });
      return;
    case 'end':
      clearTimeout(timer);
      failed = true;
      send({ kind: 'stats', stats: currentStats(now()) });
      gate?.end();
      port?.close();
  }
}

askForShortSlice();
port.on('message', handle);
loop();
send({ kind: 'ready', gate: gate !== undefined });
