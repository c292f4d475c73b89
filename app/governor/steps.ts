/**
 * The bytes that mydumper wrote between the gate's opening and its next stop: at most one write of
 * each thread.
 */
export type Step = {
  readonly bytes: number;
  /**
   * The file that grew most, and its growth. A row larger than a statement is one write of its own.
   */
  readonly largest: { readonly name: string; readonly bytes: number };
  readonly peakStagedBytes: number;
};

export type StepMeter = {
  readonly begin: (dumpedBytes: number) => void;
  /** Takes in a look at staging while the step lasts. */
  readonly look: (
    grown: { readonly name: string; readonly bytes: number },
    stagedBytes: number,
  ) => void;
  /** Closes the step; undefined when there is none. */
  readonly end: (dumpedBytes: number) => Step | undefined;
  /** Of all steps so far. */
  readonly largestBytes: () => number;
};

export function createStepMeter(): StepMeter {
  let largestBytes = 0;
  let fromBytes: number | undefined;
  let peakStagedBytes = 0;
  const grown = new Map<string, number>();
  return {
    begin: (dumpedBytes) => {
      fromBytes = dumpedBytes;
      peakStagedBytes = 0;
      grown.clear();
    },
    look: ({ name, bytes }, stagedBytes) => {
      if (fromBytes === undefined) return;
      grown.set(name, (grown.get(name) ?? 0) + bytes);
      peakStagedBytes = Math.max(peakStagedBytes, stagedBytes);
    },
    end: (dumpedBytes) => {
      if (fromBytes === undefined) return undefined;
      const bytes = dumpedBytes - fromBytes;
      fromBytes = undefined;
      largestBytes = Math.max(largestBytes, bytes);
      const [name = '', nameBytes = 0] =
        [...grown].sort((left, right) => right[1] - left[1])[0] ?? [];
      return { bytes, largest: { name, bytes: nameBytes }, peakStagedBytes };
    },
    largestBytes: () => largestBytes,
  };
}

export type StepVerdict =
  | { readonly kind: 'fits' }
  | { readonly kind: 'exceeded' | 'hopeless'; readonly reason: string };

/**
 * Judges a step that wrote more than a statement of each thread. mydumper writes a row in one
 * write, and its size is unknown beforehand. After a row over the budget, the governor allows for
 * more rows of its size. A row that does not fit into empty staging ends the run.
 */
export function judgeStep(
  { largest, peakStagedBytes }: Step,
  budgetBytes: number,
  burstBytes: number,
): StepVerdict {
  if (peakStagedBytes <= budgetBytes) return { kind: 'fits' };
  const row = `${JSON.stringify(largest.name)} holds a row of about ${largest.bytes} bytes`;
  if (largest.bytes + burstBytes <= budgetBytes) {
    return {
      kind: 'exceeded',
      reason:
        `staging held ${peakStagedBytes} bytes, ` +
        `more than its budget of ${budgetBytes}: ${row}`,
    };
  }
  const enoughMiB = Math.ceil((2 * largest.bytes + burstBytes) / (1024 * 1024));
  return {
    kind: 'hopeless',
    reason:
      `${row}, too large for the staging budget of ${budgetBytes} bytes; ` +
      `raise STAGING_LIMIT_MB to ${enoughMiB}`,
  };
}
