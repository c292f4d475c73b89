import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const PERIOD_MILLISECONDS = 2;

export type Sampler = {
  readonly peakBytes: () => number;
  readonly samples: () => number;
  readonly stop: () => void;
};

/** Adds up the allocated bytes of a directory's files from outside, every few milliseconds. */
export function sampleDirectory(directory: string): Sampler {
  let peak = 0;
  let samples = 0;
  const look = () => {
    let allocated = 0;
    for (const name of listed(directory)) {
      allocated += (lstatSync(join(directory, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512;
    }
    peak = Math.max(peak, allocated);
    samples += 1;
  };
  const timer = setInterval(look, PERIOD_MILLISECONDS);
  return { peakBytes: () => peak, samples: () => samples, stop: () => clearInterval(timer) };
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // not there yet
  }
}
