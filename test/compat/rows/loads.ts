import { dropAll, restoreInto } from '../../restore/setting.ts';
import { describeServer, type ServerDescription } from '../../support/mariadb/compare.ts';
import { type Pair, type Part, type Row, Warned } from '../row.ts';
import {
  type Backup,
  backUp,
  expectSame,
  expectSameAsSql,
  expectSameByMyloader,
  reasonOf,
} from '../runs.ts';

/** Computes a value once, also when that fails: several rows use the same backup. */
export function once<T>(compute: (pair: Pair) => Promise<T>): (pair: Pair) => Promise<T> {
  let result: Promise<T> | undefined;
  return (pair) => {
    result ??= compute(pair);
    return result;
  };
}

export type Subject = {
  readonly databases: readonly string[];
  readonly before: ServerDescription;
  readonly backup: Backup;
};

export type LoadRows = {
  readonly id: string;
  /** The promise of each part of the page. A part without a promise has no row. */
  readonly promises: Readonly<Partial<Record<Part, string>>>;
  readonly only?: Row['only'];
  /** Makes the databases and returns their names. The backup holds only these. */
  readonly prepare: (pair: Pair) => Promise<readonly string[]>;
  /** The warning that the run must give where the backup is incomplete. */
  readonly warning?: RegExp;
};

/** Rows about one backup: it holds everything, plain myloader loads it, and `restore` loads it. */
export function loadRows({ id, promises, only, prepare, warning }: LoadRows): Row[] {
  const subject = once(async (pair): Promise<Subject> => {
    const databases = await prepare(pair);
    const before = await describeServer(pair.db, databases);
    const backup = await backUp(pair.world, { SOURCE: id, DATABASES: databases.join(',') });
    return { databases, before, backup };
  });
  const runs: Readonly<Record<Part, Row['run']>> = {
    backup: async (pair) => {
      const { backup, before } = await subject(pair);
      // The user of this run sees everything.
      const unseen = backup.manifest.programsUnseen ?? [];
      if (unseen.length > 0) throw new Error(`in the manifest: ${unseen.join('; ')}`);
      const given = backup.warnings.find((text) => warning?.test(text));
      try {
        await expectSameAsSql(pair.world, pair.copy, backup, before);
        return undefined;
      } catch (error) {
        if (given === undefined) throw error;
        throw new Warned(given);
      }
    },
    myloader: async (pair) => {
      const { backup, before } = await subject(pair);
      await expectSameByMyloader(pair.world, pair.copy, backup, before);
      return undefined;
    },
    restore: async (pair) => {
      const { before } = await subject(pair);
      await expectRestored(pair, { SOURCE: id }, before);
      return undefined;
    },
  };
  return Object.entries(promises).map(([part, promise]) => ({
    id: part === 'backup' ? id : `${id}-${part}`,
    part: part as Part,
    promise,
    ...(only === undefined ? {} : { only }),
    run: runs[part as Part],
  }));
}

/**
 * Restores the newest backup of a source into the empty server and compares that with the original.
 * @throws Error where it differs.
 */
export async function expectRestored(
  pair: Pair,
  environment: Record<string, string>,
  before: ServerDescription,
  argv: readonly string[] = [],
): Promise<void> {
  await dropAll(pair.copy);
  const ended = await restoreInto(
    pair.world,
    pair.copy,
    ['latest', '--check', ...argv],
    environment,
  );
  if (ended.code !== 0) throw new Error(`exit ${ended.code}: ${reasonOf(ended)}`);
  await expectSame(pair.copy, before);
}
