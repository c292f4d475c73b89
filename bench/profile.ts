/**
 * `npm run bench:profile -- [GB] [--data <directory>] [--out <report>]` shows where our process
 * spends its time at full rate.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Context, ours } from './alternatives.ts';
import { type CpuProfile, secondsByFunction, secondsByPlace, threadOf } from './cpu-profile.ts';
import { freshDirectory } from './disk.ts';
import { measureStep, type Step } from './measure.ts';
import type { ProfileResults, ProfileRun } from './profile-report.ts';
import { saveProfile, writeReport } from './report-files.ts';
import { besideOf } from './run-cell.ts';
import { type Setting, startSetting } from './setting.ts';

const EVENT_LOOP = new URL('event-loop.ts', import.meta.url).href;
const FUNCTIONS_SHOWN = 40;

const RUNS = [
  { compression: 'none', tls: false },
  { compression: 'zstd', tls: false },
  { compression: 'none', tls: true },
] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    /** Of the first run only; for a quick look. */
    first: { type: 'boolean', default: false },
    out: { type: 'string', default: 'docs/benchmarks.md' },
  },
});
const sizeGb = Number(positionals[0] ?? 1);
const setting = await startSetting(
  { sizesGb: [sizeGb], tls: true, data: values.data },
  console.error,
);
try {
  const runs: ProfileRun[] = [];
  for (const run of values.first ? RUNS.slice(0, 1) : RUNS) {
    const profile = await profiled(setting, run);
    runs.push(profile);
    console.error(JSON.stringify({ ...profile, functions: undefined }));
    for (const [name, seconds] of profile.functions)
      console.error(`  ${seconds.toFixed(2)} s ${name}`);
  }
  const command = [
    'npm run bench:profile --',
    ...process.argv
      .slice(2)
      .filter((word, index, words) => word !== '--data' && words[index - 1] !== '--data'),
  ]
    .join(' ')
    .trim();
  const results: ProfileResults = { date: new Date().toISOString(), command, sizeGb, runs };
  saveProfile(values.out, results);
  await writeReport(values.out).catch((error: unknown) => console.error(String(error)));
} finally {
  await setting.stop();
}

async function profiled(setting: Setting, run: (typeof RUNS)[number]): Promise<ProfileRun> {
  const sink = run.tls ? setting.tls : setting.plain;
  if (sink === undefined) throw new Error('there is no S3 server with TLS');
  const directory = await freshDirectory(join(setting.work, 'staging'));
  const profiles = join(setting.work, `profiles-${run.compression}-${run.tls}`);
  mkdirSync(profiles);
  const file = join(setting.work, 'event-loop.json');
  const context: Context = {
    setting,
    sized: setting.sized(sizeGb),
    endpoint: sink.endpoint,
    databasePort: setting.db.port,
    directory,
    ready: '',
  };
  const { argv, env, ...step } = ours(context, run.compression);
  const [node = 'node', ...rest] = argv;
  // Without the profiler first: it costs processor seconds of its own.
  const delayed: Step = {
    ...step,
    argv: [node, '--import', EVENT_LOOP, ...rest],
    env: { ...env, EVENT_LOOP_FILE: file },
  };
  const { movingCpu, wallSeconds, gateStops } = totalsOf(
    await measureStep(delayed, besideOf(setting, run.tls)),
  );
  const eventLoop = JSON.parse(readFileSync(file, 'utf8')) as ProfileRun['eventLoopMilliseconds'];
  const profiling = [
    node,
    '--cpu-prof',
    `--cpu-prof-dir=${profiles}`,
    '--cpu-prof-interval',
    '500',
    ...rest,
  ];
  const measured = await measureStep(
    { ...step, argv: profiling, ...(env === undefined ? {} : { env }) },
    besideOf(setting, run.tls),
  );
  const all = readdirSync(profiles).map(
    (name) => JSON.parse(readFileSync(join(profiles, name), 'utf8')) as CpuProfile,
  );
  const { storedBytes } = await sink.reset(undefined);
  const threads = all
    .map((profile) => ({ name: threadOf(profile), places: secondsByPlace(profile) }))
    .toSorted((left, right) => busy(right.places) - busy(left.places));
  const processSeconds = totalsOf(measured).movingCpu;
  return {
    ...run,
    wallSeconds,
    movingCpuSeconds: movingCpu,
    gateStops,
    storedBytes: storedBytes / 2,
    profiledCpuSeconds: processSeconds,
    eventLoopMilliseconds: eventLoop,
    threads,
    functions: all
      .flatMap((profile) => secondsByFunction(profile))
      .filter(([name]) => !/^\((idle|program)\)/.test(name))
      .toSorted(([, left], [, right]) => right - left)
      .slice(0, FUNCTIONS_SHOWN),
  };
}

function totalsOf(measured: Awaited<ReturnType<typeof measureStep>>) {
  const movingCpu = measured.cpuSeconds - (measured.cpuByProgram.mydumper ?? 0);
  return { movingCpu, wallSeconds: measured.wallSeconds, gateStops: measured.pauses.length };
}

function busy(places: Readonly<Record<string, number>>): number {
  return Object.entries(places).reduce(
    (sum, [place, seconds]) => (place === 'idle' ? sum : sum + seconds),
    0,
  );
}
