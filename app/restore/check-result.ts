import type { Fault } from '../manifest/compare-listing.ts';

/** What `--check` compared; `lines` are for the person who signs. */
export type CheckResult = {
  readonly lines: readonly string[];
  readonly faults: readonly Fault[];
  readonly compared: Readonly<Record<string, number>>;
};
