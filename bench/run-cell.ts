import { join } from 'node:path';
import type { AlternativeName } from './alternative-names.ts';
import { type Context, stepsOf } from './alternatives.ts';
import { fileBytes, freshDirectory } from './disk.ts';
import { measureStep, type StepMeasure } from './measure.ts';
import type { Bandwidth } from './options.ts';
import type { Cell } from './plan.ts';
import type { RestoreBench } from './restore-cells.ts';
import type { Sample } from './sample.ts';
import { BALANCED_MB_PER_SECOND, type Setting } from './setting.ts';
import { thin } from './statistics.ts';

/** Programs that dump or load and so are no part of what moving bytes costs. */
const DUMPERS = ['mydumper', 'myloader', 'mariadb-dump'];
const TIMELINE_POINTS = 500;

export type CellRunner = {
  readonly run: (cell: Cell, round: number) => Promise<Sample>;
};

/** Runs cells one at a time, each with a fresh directory that is removed afterwards. */
export function createCellRunner(setting: Setting, restores: RestoreBench): CellRunner {
  const made = new Set<string>();

  /** What floor B uploads: a dump of the same size, made once. */
  const makeReady = async (context: Context) => {
    if (made.has(context.ready)) return;
    await freshDirectory(context.ready);
    const [step] = stepsOf('mydumper-alone', {
      ...context,
      databasePort: setting.db.port,
      directory: context.ready,
    });
    if (step !== undefined) await measureStep(step, besideOf(setting, false));
    made.add(context.ready);
  };

  return {
    run: async (cell, round) => {
      const { alternative, tls, bandwidth } = cell;
      const sized = setting.sized(cell.sizeGb);
      const sink = tls ? setting.tls : setting.plain;
      if (sink === undefined) throw new Error('there is no S3 server with TLS');
      const directory = await freshDirectory(join(setting.work, 'staging'));
      const ready = join(setting.work, `ready-${cell.sizeGb}`);
      const databasePort = bandwidth === 'balanced' ? setting.slowPort : setting.db.port;
      const context: Context = {
        setting,
        sized,
        endpoint: sink.endpoint,
        databasePort,
        directory,
        ready,
      };
      if (alternative === 'restore-ours' || alternative === 'restore-download-myloader') {
        const steps = await restores.measure(alternative, context);
        return sampleOf({ cell, round, steps, ...restores.sizes(), budgetMiB: sized.budgetMiB });
      }
      if (alternative === 'upload-alone') await makeReady(context);
      const bytesPerSecond = limitOf(bandwidth);
      await sink.reset(bytesPerSecond);
      const steps: StepMeasure[] = [];
      for (const step of stepsOf(alternative, context))
        steps.push(await measureStep(step, besideOf(setting, tls)));
      const { storedBytes } = await sink.reset(undefined);
      const dumpedBytes = dumpedBy(alternative, steps, directory, ready);
      await freshDirectory(directory);
      const sample = sampleOf({
        cell,
        round,
        steps,
        storedBytes,
        dumpedBytes,
        budgetMiB: sized.budgetMiB,
      });
      return bytesPerSecond === undefined ? sample : { ...sample, bytesPerSecond };
    },
  };
}

function limitOf(bandwidth: Bandwidth): number | undefined {
  if (bandwidth === 'unlimited') return undefined;
  return (bandwidth === 'balanced' ? BALANCED_MB_PER_SECOND : bandwidth) * 1e6;
}

export function besideOf(setting: Setting, tls: boolean): { database: number; s3: number } {
  return {
    database: setting.db.pid,
    s3: (tls ? setting.tls : undefined)?.pid ?? setting.plain.pid,
  };
}

/**
 * 0 where it is unknown: the simplest tools delete the files they have uploaded, and a pipe stages
 * nothing.
 */
function dumpedBy(
  alternative: AlternativeName,
  steps: readonly StepMeasure[],
  directory: string,
  ready: string,
): number {
  if (alternative === 'upload-alone') return fileBytes(ready);
  if (alternative === 'ours-none' || alternative === 'ours-zstd')
    return Number(
      /"event":"succeeded".*?"dumpedBytes":(\d+)/.exec(steps[0]?.stdout ?? '')?.[1] ?? 0,
    );
  return fileBytes(directory);
}

function sampleOf(about: {
  cell: Cell;
  round: number;
  steps: readonly StepMeasure[];
  storedBytes: number;
  dumpedBytes: number;
  budgetMiB: number;
}): Sample {
  const { cell, round, steps, storedBytes, dumpedBytes, budgetMiB } = about;
  const sum = (of: (step: StepMeasure) => number) =>
    steps.reduce((total, step) => total + of(step), 0);
  const most = (of: (step: StepMeasure) => number) => Math.max(...steps.map(of));
  const isOurs = cell.alternative.startsWith('ours-') || cell.alternative === 'restore-ours';
  const staged = isOurs || cell.alternative === 'stop-upload-resume';
  const mover = steps.at(-1);
  return {
    ...cell,
    round,
    wallSeconds: sum((step) => step.wallSeconds),
    cpuSeconds: sum((step) => step.cpuSeconds),
    movingCpuSeconds: sum(
      (step) =>
        step.cpuSeconds -
        DUMPERS.reduce((total, name) => total + (step.cpuByProgram[name] ?? 0), 0),
    ),
    databaseCpuSeconds: sum((step) => step.databaseCpuSeconds),
    s3CpuSeconds: sum((step) => step.s3CpuSeconds),
    peakResidentBytes: most((step) => step.peakResidentBytes),
    moverResidentBytes: mover?.rootPeakResidentBytes ?? 0,
    peakDiskBytes: most((step) => step.peakDiskBytes),
    ...(staged ? { budgetBytes: budgetMiB * 1024 ** 2 } : {}),
    dumpedBytes,
    storedBytes,
    ...(staged && round === 1 && cell.bandwidth !== 'unlimited'
      ? { timeline: thin(mover?.timeline ?? [], TIMELINE_POINTS, (moment) => moment.diskBytes) }
      : {}),
    ...(staged && round === 1 ? { pauses: mover?.pauses ?? [] } : {}),
  };
}
