import { decide, type GovernorState, gateLevel, needsNoStop } from './decide.ts';
import type { PauseBook } from './pause-book.ts';
import type { ProcessGroup } from './process-group.ts';
import type { FromWatch, WatchStart } from './protocol.ts';
import { judgeStep, type StepMeter } from './steps.ts';
import { createStopCheck } from './stop-check.ts';
import type { WriteGate } from './write-gate.ts';

/** How long a paused mydumper is let read at a time. */
const BREATH_SECONDS = 0.05;

/** Lets mydumper write, stops it, continues it, and kills it when the run has failed. */
export type Control = {
  /**
   * Carries out the decision after a look at staging. `isAtGate`: the gate has stopped mydumper,
   * without a pause.
   */
  readonly apply: (state: GovernorState, isAtGate: boolean) => void;
  /** It has stopped after a write of each thread at the most. */
  readonly endStep: () => void;
  /** mydumper has written to staging: behind the gate it stops, or is about to. */
  readonly noteWrite: () => void;
  /** Whether mydumper has written since it last continued. */
  readonly wasWritten: () => boolean;
  /** It is started stopped; whether it has been let go since. */
  readonly isLetGo: () => boolean;
  /** When a paused mydumper was last let read, in seconds. */
  readonly breathedAt: () => number;
  /** Kills mydumper and reports the reason; only the first time. */
  readonly fail: (fault: 'staging' | 'dump', reason: string) => void;
  readonly hasFailed: () => boolean;
};

export type ControlParts = {
  readonly start: Pick<WatchStart, 'budgetBytes' | 'burstBytes'>;
  readonly group: ProcessGroup;
  readonly gate: WriteGate | undefined;
  readonly pauses: PauseBook;
  readonly steps: StepMeter;
  readonly send: (message: FromWatch) => void;
  /** Seconds. */
  readonly now: () => number;
  readonly dumpedBytes: () => number;
};

export function createControl({
  start,
  group,
  gate,
  pauses,
  steps,
  send,
  now,
  dumpedBytes,
}: ControlParts): Control {
  let failed = false;
  let letGo = false;
  let written = false;
  let breathed = 0;

  const fail: Control['fail'] = (fault, reason) => {
    if (failed) return;
    failed = true;
    // The dump is lost. mydumper must not fill the disk or hold its locks until the main thread
    // reacts.
    group.signal('SIGKILL');
    send({ kind: 'failed', fault, reason });
  };

  const stopCheck = createStopCheck(group, now, () =>
    fail('staging', `mydumper (process group ${group.id()}) does not stop when it is sent SIGSTOP`),
  );

  const endStep = () => {
    const step = steps.end(dumpedBytes());
    if (step === undefined) return;
    const verdict = judgeStep(step, start.budgetBytes, start.burstBytes);
    if (verdict.kind === 'hopeless') fail('staging', verdict.reason);
    if (verdict.kind === 'exceeded') send({ kind: 'exceeded', reason: verdict.reason });
  };

  /**
   * Far from the budget mydumper runs freely. Near it, mydumper stops at each write until this
   * thread has looked.
   */
  const moveGate = (state: GovernorState) => {
    if (state.stagedBytes >= gateLevel(state)) {
      gate?.shut(group.members());
      return;
    }
    endStep(); // what it writes from now on is no single step's
    gate?.open();
  };

  /** Each thread may write once more; without the gate, until it is stopped. */
  const letWrite = () => {
    if (gate?.isShut() === true) {
      endStep();
      steps.begin(dumpedBytes());
    }
    letGo = true;
    written = false;
    group.signal('SIGCONT');
  };

  const pause = (reason: string, stagedBytes: number) => {
    stopCheck.stop();
    pauses.begin(now());
    send({ kind: 'paused', reason, stagedBytes });
  };

  const resume = (reason: string, stagedBytes: number) => {
    letWrite();
    const pausedSeconds = pauses.end(now());
    send({ kind: 'resumed', reason, stagedBytes, pausedSeconds });
  };

  return {
    apply: (state, isAtGate) => {
      // Before mydumper is let go, so that its next write finds the gate as it should be.
      moveGate(state);
      const isPaused = pauses.since() !== undefined;
      const { action, reason } = decide(state);
      if (action === 'run' && !isPaused && (isAtGate || (written && needsNoStop(state))))
        letWrite();
      else if (action === 'pause' && !isPaused) pause(reason, state.stagedBytes);
      else if (action === 'resume' && isPaused) resume(reason, state.stagedBytes);
      else if (action === 'breathe') {
        breathed = now();
        letWrite(); // until its next write behind the gate, or for a moment
      } else if (action === 'fail') fail('staging', reason);
      if (pauses.since() !== undefined && now() - breathed > BREATH_SECONDS) stopCheck.confirm();
    },
    endStep,
    noteWrite: () => {
      written = true;
    },
    wasWritten: () => written,
    isLetGo: () => letGo,
    breathedAt: () => breathed,
    fail,
    hasFailed: () => failed,
  };
}
