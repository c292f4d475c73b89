import { parseArgs } from 'node:util';

export const HELP = `npm run chaos -- [--restore] [--runs N] [--seed S] [--only N] [--faults 0,2]
                     [--no-shrink] [--log] [--json]

  --restore      restores with faults, in place of backups
  --runs N       number of runs, 10 by default
  --seed S       seed of the runs, 1 by default
  --only N       run number N of the seed alone
  --faults 0,2   only these of its faults, counted from 0, or none
  --no-shrink    do not look for the fewest faults that violate
  --log          print the program's log of runs that violate
  --json         a JSON document for each run instead of a line
`;

/** In place of numbers of faults. */
export const NO_FAULTS = 'none';

export type Options = {
  /** Restores in place of backups. */
  readonly restore: boolean;
  readonly seed: number;
  /** Numbers of the runs to do. */
  readonly runs: readonly number[];
  /** Which of their faults; all where it is undefined. */
  readonly faults: readonly number[] | undefined;
  readonly shrink: boolean;
  readonly log: boolean;
  readonly json: boolean;
};

/**
 * @returns undefined for `--help`.
 * @throws Error saying what is wrong, rather than doing no runs and calling that good.
 */
export function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      restore: { type: 'boolean', default: false },
      runs: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      faults: { type: 'string' },
      'no-shrink': { type: 'boolean', default: false },
      log: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const count = whole('--runs', values.runs, 1);
  return {
    restore: values.restore,
    seed: whole('--seed', values.seed),
    runs:
      values.only === undefined
        ? Array.from({ length: count }, (_, run) => run)
        : [whole('--only', values.only)],
    faults:
      values.faults === NO_FAULTS
        ? []
        : values.faults?.split(',').map((index) => whole('--faults', index)),
    shrink: !values['no-shrink'],
    log: values.log,
    json: values.json,
  };
}

function whole(name: string, text: string, least = 0): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least)
    throw new Error(`${name}="${text}": must be a whole number from ${least} on`);
  return Number(text);
}
