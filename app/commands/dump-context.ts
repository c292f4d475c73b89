import type { Config } from '../config.ts';
import type { RunMark } from '../database/run-mark.ts';
import type { Events } from '../events.ts';
import type { BudgetPlan } from '../governor/feasibility.ts';
import type { Staging } from '../staging/directory.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Preflight } from './preflight.ts';
import type { RunState } from './run-state.ts';

/** What the parts of a dump share. */
export type DumpContext = {
  readonly config: Config;
  readonly found: Preflight;
  /** Held by the connection with the run's lock, in the dumped server. */
  readonly mark: RunMark;
  readonly staging: Staging;
  /** Files can be shipped while they grow. */
  readonly punching: boolean;
  readonly plan: BudgetPlan;
  readonly store: ObjectStore;
  readonly folder: string;
  readonly run: RunState;
  readonly events: Events;
};
