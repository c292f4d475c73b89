/**
 * `npm run bench:sweep -- [GB] [--rounds n] [--only name,...] [--data directory] [--out report]`
 * measures settings to choose their defaults. It changes settings that are constants in a copy of
 * the program.
 */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Context, ours } from './alternatives.ts';
import { freshDirectory } from './disk.ts';
import { measureStep } from './measure.ts';
import { saveSweep, writeReport } from './report-files.ts';
import { besideOf } from './run-cell.ts';
import { type Setting, startSetting } from './setting.ts';
import type { SweepPoint, Swept } from './sweep-report.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A constant of the program: where it stands, and how it is written there. */
type Constant = { readonly file: string; readonly name: string };
type Axis = {
  readonly setting: Swept;
  readonly values: readonly number[];
  readonly standard: number;
  readonly compression: 'none' | 'zstd';
  readonly bandwidth: 'unlimited' | number;
  /** None: an environment variable of the setting's name. */
  readonly constant?: Constant;
  /** With files of many parts: else each of these small ones goes in a single request. */
  readonly inParts?: boolean;
};

const LEVEL: Constant = { file: 'app/shipping/compressor.ts', name: 'ZSTD_LEVEL' };
const EXTRA: Constant = { file: 'app/storage/part-memory.ts', name: 'EXTRA_PARTS' };
/** A budget in which files hold many parts, as one of gigabytes does. */
const LARGE_FILES = { STAGING_LIMIT_MB: '512', CHUNK_FILE_SIZE_MB: '128' };
const PERIOD: Constant = {
  file: 'app/governor/next-look.ts',
  name: 'SHORTEST_PERIOD_MILLISECONDS',
};

const AXES: readonly Axis[] = [
  {
    setting: 'UPLOAD_CONCURRENCY',
    values: [1, 2, 4, 8],
    standard: 4,
    compression: 'none',
    bandwidth: 'unlimited',
  },
  ...(['unlimited', 100] as const).flatMap((bandwidth): Axis[] => [
    {
      setting: 'PART_SIZE_MB',
      values: [5, 8, 16],
      standard: 8,
      compression: 'none',
      bandwidth,
      inParts: true,
    },
    {
      setting: 'extra parts',
      values: [1, 2, 4, 8],
      standard: 2,
      compression: 'none',
      bandwidth,
      constant: EXTRA,
      inParts: true,
    },
  ]),
  {
    setting: 'compression level',
    values: [1, 3, 6],
    standard: 1,
    compression: 'zstd',
    bandwidth: 'unlimited',
    constant: LEVEL,
  },
  {
    setting: 'compression level',
    values: [1, 3, 6],
    standard: 1,
    compression: 'zstd',
    bandwidth: 20,
    constant: LEVEL,
  },
  {
    setting: 'scan period',
    values: [1, 2, 4],
    standard: 1,
    compression: 'none',
    bandwidth: 'unlimited',
    constant: PERIOD,
  },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    data: { type: 'string' },
    out: { type: 'string', default: 'docs/benchmarks.md' },
  },
});
const sizeGb = Number(positionals[0] ?? 1);
const axes = AXES.filter(
  ({ setting }) => values.only === undefined || values.only.split(',').includes(setting),
);
const loadBefore = loadavg()[0] ?? 0;
const setting = await startSetting(
  { sizesGb: [sizeGb], tls: false, data: values.data },
  console.error,
);
try {
  const measured = new Map<string, SweepPoint>();
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const axis of axes) {
      for (const value of axis.values) {
        const name = `${axis.setting} ${value} ${axis.bandwidth}`;
        const point = await measure(setting, axis, value);
        const before = measured.get(name);
        measured.set(name, before === undefined ? point : joined(before, point));
        console.error(
          `sweep: round ${round}, ${name}: ${point.wallSeconds[0]?.toFixed(1)} s, ` +
            `${point.movingCpuSeconds[0]?.toFixed(1)} s of processors`,
        );
      }
    }
    saveSweep(values.out, {
      date: new Date().toISOString(),
      command: [
        'npm run bench:sweep --',
        ...process.argv
          .slice(2)
          .filter((word, index, words) => word !== '--data' && words[index - 1] !== '--data'),
      ].join(' '),
      sizeGb,
      budgetBytes: setting.sized(sizeGb).budgetMiB * 1024 ** 2,
      loadBefore,
      points: [...measured.values()],
    });
  }
  await writeReport(values.out).catch((error: unknown) => console.error(String(error)));
} finally {
  await setting.stop();
}

async function measure(setting: Setting, axis: Axis, value: number): Promise<SweepPoint> {
  const directory = await freshDirectory(join(setting.work, 'staging'));
  const sized = setting.sized(sizeGb);
  const { constant, compression, bandwidth, inParts = false } = axis;
  const variables = {
    ...(inParts ? LARGE_FILES : {}),
    ...(constant === undefined ? { [axis.setting]: String(value) } : {}),
  };
  const context: Context = {
    setting,
    sized,
    endpoint: setting.plain.endpoint,
    databasePort: setting.db.port,
    directory,
    ready: '',
    variables,
  };
  const { argv, ...step } = ours(context, compression);
  const program = constant === undefined ? argv : inCopy(setting, constant, value, argv);
  await setting.plain.reset(bandwidth === 'unlimited' ? undefined : bandwidth * 1e6);
  const measured = await measureStep({ ...step, argv: program }, besideOf(setting, false));
  const { storedBytes } = await setting.plain.reset(undefined);
  return {
    setting: axis.setting,
    value,
    isDefault: value === axis.standard,
    compression,
    bandwidth,
    ...(inParts ? { budgetMiB: Number(LARGE_FILES.STAGING_LIMIT_MB) } : {}),
    wallSeconds: [measured.wallSeconds],
    movingCpuSeconds: [measured.cpuSeconds - (measured.cpuByProgram.mydumper ?? 0)],
    residentBytes: [measured.rootPeakResidentBytes],
    storedBytes,
    peakDiskBytes: measured.peakDiskBytes,
  };
}

/** The program's arguments with another value of a constant, in a copy of the program. */
function inCopy(
  setting: Setting,
  { file, name }: Constant,
  value: number,
  argv: readonly string[],
): string[] {
  const copy = join(setting.work, `program-${name}-${value}`);
  cpSync(join(ROOT, 'app'), join(copy, 'app'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  symlinkSafely(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  const changed = text.replace(new RegExp(`(const ${name} = )\\d+;`), `$1${value};`);
  if (!changed.includes(`const ${name} = ${value};`))
    throw new Error(`${file} has no constant ${name}`);
  writeFileSync(path, changed);
  return argv.map((word) => (word.endsWith('/app/main.ts') ? join(copy, 'app', 'main.ts') : word));
}

function symlinkSafely(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // of an earlier round
  }
}

function joined(left: SweepPoint, right: SweepPoint): SweepPoint {
  return {
    ...left,
    wallSeconds: [...left.wallSeconds, ...right.wallSeconds],
    movingCpuSeconds: [...left.movingCpuSeconds, ...right.movingCpuSeconds],
    residentBytes: [...left.residentBytes, ...right.residentBytes],
    peakDiskBytes: Math.max(left.peakDiskBytes, right.peakDiskBytes),
  };
}
