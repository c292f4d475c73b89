import { table } from './markdown.ts';

export type ProfileRun = {
  readonly compression: 'none' | 'zstd';
  readonly tls: boolean;
  /** Without the profiler. */
  readonly wallSeconds: number;
  readonly movingCpuSeconds: number;
  readonly gateStops: number;
  readonly storedBytes: number;
  /** With it. */
  readonly profiledCpuSeconds: number;
  readonly eventLoopMilliseconds: {
    readonly p50: number;
    readonly p99: number;
    readonly most: number;
  };
  /** Seconds by place, the busiest thread first. */
  readonly threads: readonly {
    readonly name: string;
    readonly places: Readonly<Record<string, number>>;
  }[];
  readonly functions: readonly (readonly [name: string, seconds: number])[];
};

export type ProfileResults = {
  readonly date: string;
  readonly command: string;
  readonly sizeGb: number;
  readonly runs: readonly ProfileRun[];
};

const FUNCTIONS_SHOWN = 8;

/** In the order in which they were the largest. */
const DONE = [
  'What was done about the largest:',
  '- **Hashing.** Each body was hashed by SHA-256 twice, for the manifest and for the ' +
    'signature. Over TLS the signature leaves the body out now, as that of the AWS CLI does; ' +
    'its CRC-32 is signed. Without TLS files that go in one request uncompressed are hashed ' +
    'once for both. It is done in a thread of its own, as it was more than half of what the ' +
    'main thread did. CRC-32 was computed twice too, over the file and over each part; now a part ' +
    'is sent with what its pieces gave.',
  '- **HTTP.** From 2 MiB on the SDK sends `Expect: 100-continue`, and opens a connection ' +
    'for each such request that it does not keep. That is switched off: S3 is never asked ' +
    'first, and connections are used again.',
  '- **Garbage collection, copying.** lib-storage put each part together from fresh buffers ' +
    'by copying all of it. The uploader is our own now (`app/storage/upload.ts`) and fills ' +
    'parts that are used again; so are the buffers that files are read into. Over TLS a part ' +
    'was encrypted whole before its first byte went; now a mebibyte at a time.',
  '- **Scanning.** In a pause staging was looked at every 2 ms, taking processor time from ' +
    'the shipping that ends the pause; now when something was freed, and every 20 ms. Behind ' +
    'the gate the state of each thread was read from /proc every millisecond; now the kernel ' +
    'is asked whether the process has stopped, and tells of each write.',
].join('\n');

export function renderProfile({ date, command, sizeGb, runs }: ProfileResults): string {
  const heads = runs.map(({ compression, tls }) => `${compression}${tls ? ', TLS' : ''}`);
  const places = [
    ...new Set(
      runs.flatMap(({ threads }) => threads.flatMap((thread) => Object.keys(thread.places))),
    ),
  ].filter((place) => place !== 'idle');
  const seconds = (run: ProfileRun, place: string) =>
    run.threads.reduce((sum, thread) => sum + (thread.places[place] ?? 0), 0);
  const [first] = runs;
  const rows = places
    .toSorted((left, right) =>
      first === undefined ? 0 : seconds(first, right) - seconds(first, left),
    )
    .map((place) => [place, ...runs.map((run) => seconds(run, place).toFixed(2))]);
  const threadNames = (first?.threads ?? []).map(({ name }) => name);
  const busy = (run: ProfileRun, name: string) => {
    const spent = run.threads.find((thread) => thread.name === name)?.places ?? {};
    return places.reduce((sum, place) => sum + (spent[place] ?? 0), 0);
  };
  const profiled = (run: ProfileRun) => places.reduce((sum, place) => sum + seconds(run, place), 0);
  return [
    '## Where the time of our process goes',
    `Written by \`${command}\` on ${date.slice(0, 10)}: ${sizeGb} GB, S3 unlimited, sampled ` +
      'every 0.5 ms (`--cpu-prof`). Seconds of the main thread, the watching thread and the ' +
      'hashing thread together by where they are spent; what the pool of threads does (zstd, ' +
      'reads of files) is what is left of the process.',
    table(
      ['', ...heads],
      [
        ...rows,
        ['**all threads**', ...runs.map((run) => profiled(run).toFixed(2))],
        ...threadNames.map((name) => [
          `of it the ${name}`,
          ...runs.map((run) => busy(run, name).toFixed(2)),
        ]),
        ['**process, profiled**', ...runs.map((run) => run.profiledCpuSeconds.toFixed(2))],
        ['**process, not profiled**', ...runs.map((run) => run.movingCpuSeconds.toFixed(2))],
        [
          'main thread late, p50 ms',
          ...runs.map((run) => run.eventLoopMilliseconds.p50.toFixed(1)),
        ],
        [
          'main thread late, p99 ms',
          ...runs.map((run) => run.eventLoopMilliseconds.p99.toFixed(1)),
        ],
        [
          'main thread late, most ms',
          ...runs.map((run) => run.eventLoopMilliseconds.most.toFixed(1)),
        ],
      ],
    ),
    DONE,
    'Functions by their own time:',
    ...runs.map(
      (run, index) =>
        `- ${heads[index]}: ${run.functions
          .slice(0, FUNCTIONS_SHOWN)
          .map(([name, spent]) => `\`${name}\` ${spent.toFixed(2)} s`)
          .join(', ')}`,
    ),
  ].join('\n\n');
}
