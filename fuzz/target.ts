import fc from 'fast-check';

/** What is tried with hostile input: a property that must hold for all of it. */
export type Target = {
  readonly name: string;
  /** Cases in `npm test`. */
  readonly quickCases: number;
  readonly open: () => OpenTarget | Promise<OpenTarget>;
};

export type OpenTarget = {
  readonly property: fc.IRawProperty<unknown>;
  /** Ends what it started. */
  readonly close?: () => void | Promise<void>;
};

export type Outcome = {
  readonly cases: number;
  readonly seconds: number;
  readonly failure: string | undefined;
};

const CASES_AT_ONCE = 50;

/**
 * Tries new cases until the time is over or one fails. The same seed tries the same cases in the
 * same order.
 */
export async function runTarget(target: Target, seconds: number, seed: number): Promise<Outcome> {
  const { property, close } = await target.open();
  const start = performance.now();
  const passed = () => (performance.now() - start) / 1000;
  let cases = 0;
  try {
    for (let turn = 0; passed() < seconds; turn += 1) {
      const details = await fc.check(property, {
        seed: seed + turn,
        numRuns: CASES_AT_ONCE,
        includeErrorInReport: true,
      });
      cases += details.numRuns;
      if (details.failed)
        return { cases, seconds: passed(), failure: await fc.asyncDefaultReportMessage(details) };
    }
    return { cases, seconds: passed(), failure: undefined };
  } finally {
    await close?.();
  }
}
