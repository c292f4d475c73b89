import { parseArgs } from 'node:util';
import { ALTERNATIVES, type AlternativeName } from './alternative-names.ts';

/**
 * The bandwidth of S3 in MB/s. `balanced` limits database and S3 alike, so that neither waits for
 * processors.
 */
export type Bandwidth = 'unlimited' | 'balanced' | number;

export type BenchOptions = {
  /** Of the databases as dumped, in GB (10^9 bytes), ascending. */
  readonly sizesGb: readonly number[];
  readonly rounds: number;
  readonly bandwidths: readonly Bandwidth[];
  readonly tls: boolean;
  /** Empty for all. */
  readonly only: readonly AlternativeName[];
  readonly out: string;
  /** Data directory to make databases in and to keep; a temporary one when undefined. */
  readonly data: string | undefined;
};

export const USAGE = `Usage: npm run bench -- [options]

  --quick                one size (0.2 GB), one round, fewer bandwidths: within five minutes
  --sizes <GB,...>       sizes of the databases as dumped (0.2,1,4)
  --large                20 GB too
  --rounds <n>           how often everything is measured, in turns (3)
  --bandwidths <list>    unlimited, balanced (database and S3 alike) or MB/s
                         (unlimited,balanced,20,100)
  --tls                  the fast ones over TLS too
  --only <names>         of ${ALTERNATIVES.map(({ name }) => name).join(', ')}
  --out <path>           the report (docs/benchmarks.md, or bench-quick.md with --quick);
                         figures and plots are written beside it
  --data <directory>     keeps the databases there for the next time
`;

/** @throws Error with one clear line for arguments that make no sense. */
export function readOptions(argv: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      sizes: { type: 'string' },
      large: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      bandwidths: { type: 'string' },
      tls: { type: 'boolean', default: false },
      only: { type: 'string' },
      out: { type: 'string' },
      data: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const sizes = list(values.sizes ?? (values.quick ? '0.2' : '0.2,1,4')).map((text) =>
    positive('--sizes', text),
  );
  const bandwidths = list(
    values.bandwidths ?? (values.quick ? 'unlimited,balanced' : 'unlimited,balanced,20,100'),
  );
  return {
    sizesGb: [...new Set([...sizes, ...(values.large ? [20] : [])])].sort(
      (left, right) => left - right,
    ),
    rounds: Math.ceil(positive('--rounds', values.rounds ?? (values.quick ? '1' : '3'))),
    bandwidths: bandwidths.map((text) =>
      text === 'unlimited' || text === 'balanced' ? text : positive('--bandwidths', text),
    ),
    tls: values.tls,
    only: list(values.only ?? '').map(known),
    out: values.out ?? (values.quick ? 'bench-quick.md' : 'docs/benchmarks.md'),
    data: values.data,
  };
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1e6)) throw new Error(`${flag} takes numbers above 0, not ${text}`);
  return value;
}

function known(name: string): AlternativeName {
  const found = ALTERNATIVES.find((alternative) => alternative.name === name);
  if (found === undefined)
    throw new Error(`--only takes ${ALTERNATIVES.map((one) => one.name).join(', ')}; not ${name}`);
  return found.name;
}
