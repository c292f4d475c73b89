import type { FakeStep } from '../fake-mydumper.ts';
import type { MariaDb } from '../mariadb/harness.ts';
import { SHOP } from './dataset.ts';
import {
  type RecordedFile,
  type RecordedStep,
  type Recording,
  readRecording,
} from './recording.ts';

/** A good dump of the database `shop`, which `createShop` makes. */
export const ONE_DATABASE = 'libmariadb/mariadb-10.11/one-database';

/**
 * Makes the database of the `one-database` recordings, so that the server has the recorded rows.
 */
export async function createShop(db: MariaDb): Promise<void> {
  for (const statement of SHOP) await db.query(statement);
}

/** A recorded run's files, output and exit, as steps of the fake mydumper. */
export function played(name: string): FakeStep[] {
  const recording = readRecording(name);
  const { code, signal } = recording.exit;
  return [
    ...stepsOf(recording, recording.steps),
    signal === null ? { exit: code ?? 0 } : { killItself: signal },
  ];
}

/** The good dump in two halves: until all rows are written, and the rest without the exit. */
export function playedInHalves(name: string = ONE_DATABASE): { dump: FakeStep[]; end: FakeStep[] } {
  const recording = readRecording(name);
  const { steps } = recording;
  const last = steps.findIndex((step) => 'stderr' in step && step.stderr.includes('Queue count:'));
  if (last === -1) throw new Error(`${name} has no line about its queues`);
  // The recorder saw the end of `metadata` before or after that line.
  const isEnd = (step: RecordedStep, index: number) =>
    index >= last ||
    ('close' in step && step.close === 'metadata.partial') ||
    ('rename' in step && step.rename[0] === 'metadata.partial');
  return {
    dump: stepsOf(
      recording,
      steps.filter((step, index) => !isEnd(step, index)),
    ),
    end: stepsOf(recording, steps.filter(isEnd)),
  };
}

function stepsOf(recording: Recording, steps: readonly RecordedStep[]): FakeStep[] {
  const finalNames = new Map(
    recording.steps.flatMap((step) =>
      'rename' in step ? [[step.rename[0], step.rename[1]] as const] : [],
    ),
  );
  const contentOf = (name: string) => recording.files[finalNames.get(name) ?? name];
  return steps.flatMap((step, index): FakeStep[] => {
    if ('stdout' in step) return [{ log: step.stdout, stream: 'stdout' }];
    if ('stderr' in step) return [{ log: step.stderr }];
    if ('open' in step) return [{ write: step.open, text: '' }];
    if ('close' in step)
      return [...written(step.close, contentOf(step.close)), { close: step.close }];
    if ('again' in step)
      return [repeated(steps.slice(index - step.again.lines, index), step.again.times)];
    if ('rename' in step) return [{ rename: step.rename }];
    return 'remove' in step ? [{ remove: step.remove }] : [];
  });
}

/** A file that was removed in the end has no recorded content. */
function written(name: string, file: RecordedFile | undefined): FakeStep[] {
  if (file === undefined) return [];
  const { lines, base64 } = file;
  if (base64 !== undefined) return [{ write: name, text: base64, encoding: 'base64' }];
  return [{ write: name, text: lines?.join('\n') ?? '' }];
}

function repeated(steps: readonly RecordedStep[], repeat: number): FakeStep {
  const lines = steps.flatMap((step) => ('stderr' in step ? [step.stderr] : []));
  return { log: lines.join('\n'), repeat };
}
