/**
 * The format that `node --cpu-prof` writes: the tree of calls, and the running node at each sample.
 */
export type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the look before. */
  readonly timeDeltas: readonly number[];
};

export type Frame = CpuProfile['nodes'][number]['callFrame'];

/** Where time goes, from what is asked first to what is asked last. */
const PLACES: readonly (readonly [place: string, pattern: RegExp])[] = [
  ['idle', /^\(idle\)/],
  ['garbage collection', /^\(garbage collector\)/],
  ['hashing (SHA-256, CRC-32)', /node:internal\/crypto|crc32|checksum-guard|@aws-crypto|\/crc/],
  ['compression', /node:zlib|shipping\/compressor|node:internal\/zlib/],
  ['TLS', /node:_tls|node:tls|node:internal\/tls/],
  ['scanning and watching', /\/app\/(staging|governor)\/|koffi/],
  ['reading files', /node:fs|node:internal\/fs/],
  ['AWS SDK', /node_modules\/@(aws-sdk|smithy|aws)\//],
  [
    'starting: loading modules',
    /node:internal\/(modules|vm|bootstrap|process)|node:vm|compileForInternalLoader|\(root\)/,
  ],
  [
    'HTTP, sockets',
    /node:_http|node:http|node:net|node:https|node:internal\/(stream_base_commons|net|http)|node:dns|node:url|node:internal\/url/,
  ],
  [
    'streams, buffers, promises, timers',
    /node:internal\/|node:(stream|buffer|events|timers)|node:async_hooks/,
  ],
  ['our shipping', /\/app\/(shipping|storage)\//],
  ['our other code', /\/app\//],
  ['other packages', /node_modules\//],
  ['native, not told apart', /^\(program\)/],
];

const THREADS: readonly (readonly [name: string, file: string])[] = [
  ['watching thread', 'app/governor/watch.worker.ts'],
  ['hashing thread', 'app/shipping/hash.worker.ts'],
];

/** Each of our threads has a file that only it runs. */
export function threadOf({ nodes }: CpuProfile): string {
  const found = THREADS.find(([, file]) =>
    nodes.some(({ callFrame }) => callFrame.url.endsWith(file)),
  );
  return found?.[0] ?? 'main thread';
}

/** Undefined for a native function that could be anything's. */
export function placeOf({ functionName, url }: Frame): string | undefined {
  const text = `${functionName} ${url}`;
  return (
    PLACES.find(([, pattern]) => pattern.test(text))?.[0] ?? (url === '' ? undefined : 'other')
  );
}

/** Seconds by place. */
export function secondsByPlace(profile: CpuProfile): Readonly<Record<string, number>> {
  return sumBy(profile, placeOf);
}

/** Seconds by function, the longest first. */
export function secondsByFunction(
  profile: CpuProfile,
): readonly (readonly [name: string, seconds: number])[] {
  const sums = sumBy(
    profile,
    ({ functionName, url, lineNumber }) =>
      `${functionName || '(anonymous)'} ${shortUrl(url)}:${lineNumber + 1}`,
  );
  return Object.entries(sums).toSorted(([, left], [, right]) => right - left);
}

/** Native functions have no place in the source: their time counts for their callers. */
function sumBy(
  profile: CpuProfile,
  nameOf: (frame: Frame) => string | undefined,
): Record<string, number> {
  const names = new Map<number, string>();
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const walk = (id: number, caller: string) => {
    const node = byId.get(id);
    if (node === undefined) return;
    const name = nameOf(node.callFrame) ?? caller;
    names.set(id, name);
    for (const child of node.children ?? []) walk(child, name);
  };
  const [root] = profile.nodes;
  if (root !== undefined) walk(root.id, 'other');
  const sums: Record<string, number> = {};
  profile.samples.forEach((id, index) => {
    const name = names.get(id) ?? 'other';
    // The time up to the next look was spent in what this look saw.
    sums[name] = (sums[name] ?? 0) + (profile.timeDeltas[index + 1] ?? 0) / 1e6;
  });
  return sums;
}

function shortUrl(url: string): string {
  return url.replace(/^file:\/\/.*\/(node_modules|app)\//, '$1/');
}
