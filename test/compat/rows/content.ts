import { dropAll, into, renamed, restoreInto } from '../../restore/setting.ts';
import { describeServer, type ServerDescription } from '../../support/mariadb/compare.ts';
import { createNastyDatabases } from '../../support/mariadb/dataset.ts';
import type { MariaDb } from '../../support/mariadb/harness.ts';
import { quoteName } from '../../support/mariadb/sql.ts';
import { runProgram } from '../../support/program.ts';
import type { Pair, Row } from '../row.ts';
import { type Backup, backUp, expectSame, expectSameAsSql, expectSameByMyloader, reasonOf } from '../runs.ts';

/** Computed once: several rows look at the same backup. */
function once<T>(compute: (pair: Pair) => Promise<T>): (pair: Pair) => Promise<T> {
  let result: Promise<T> | undefined;
  return (pair) => {
    result ??= compute(pair);
    return result;
  };
}

const OBJECTS = 'nasty objects-1';

type Content = { readonly databases: readonly string[]; readonly before: ServerDescription };

/** Databases with tables of every kind, without what rows of their own are about: odd names, routines. */
const content = once(async ({ db }): Promise<Content> => {
  const databases = await createNastyDatabases(db, { seed: 7, rows: 12, plainNames: true, routines: false });
  return { databases, before: await describeServer(db, databases) };
});

const whole = once(async (pair: Pair): Promise<Backup> => {
  await content(pair);
  return backUp(pair.world, { SOURCE: 'whole' });
});

const one = once(async (pair: Pair): Promise<Backup> => {
  await content(pair);
  return backUp(pair.world, { SOURCE: 'one', DATABASES: 'nasty_types' });
});

function only({ before }: Content, database: string): ServerDescription {
  const name = quoteName(database);
  const objects = Object.entries(before.objects).filter(
    ([key]) => key === `database ${name}` || key.includes(` ${name}.`),
  );
  return { objects: Object.fromEntries(objects) };
}

/** What README asks for; the first needs the global read lock, the second table locks as on RDS. */
const PRIVILEGES = {
  limited_reload: 'SELECT, SHOW VIEW, TRIGGER, EVENT, PROCESS, RELOAD',
  limited_lock: 'SELECT, SHOW VIEW, TRIGGER, EVENT, PROCESS, LOCK TABLES',
} as const;

async function limitedUser(db: MariaDb, user: keyof typeof PRIVILEGES): Promise<Record<string, string>> {
  const account = `${user}@'127.0.0.1'`;
  await db.query(`CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY 'geheim'`);
  await db.query(`GRANT ${PRIVILEGES[user]} ON *.* TO ${account}`);
  if (db.vendor === 'mysql') await db.query(`GRANT SHOW_ROUTINE ON *.* TO ${account}`);
  return { USERNAME: user, PASSWORD: 'geheim' };
}

function limited(user: keyof typeof PRIVILEGES, promise: string): Row {
  return {
    id: user,
    part: 'backup',
    promise,
    run: async (pair) => {
      const { before } = await content(pair);
      const account = await limitedUser(pair.db, user);
      const backup = await backUp(pair.world, { SOURCE: user, ...account });
      await expectSameAsSql(pair.world, pair.copy, backup, before);
      return backup.manifest.binlog === null ? 'the backup has no binary log position' : undefined;
    },
  };
}

export const contentRows: readonly Row[] = [
  {
    id: 'whole-server',
    part: 'backup',
    promise: 'The whole server: tables of every kind, views, triggers, events; no system schema',
    run: async (pair) => {
      const { databases, before } = await content(pair);
      const backup = await whole(pair);
      const named = backup.manifest.databases.toSorted();
      if (named.join() !== databases.toSorted().join()) throw new Error(`it holds ${named.join(', ')}`);
      await expectSameAsSql(pair.world, pair.copy, backup, before);
    },
  },
  {
    id: 'one-database',
    part: 'backup',
    promise: '`DATABASES=` with one name: that database, with its definition, and nothing else',
    run: async (pair) => {
      const all = await content(pair);
      const backup = await one(pair);
      const strangers = backup.manifest.files.filter(
        ({ database }) => database !== null && database !== 'nasty_types',
      );
      if (strangers.length > 0) throw new Error(`it holds ${strangers.map(({ name }) => name).join(', ')}`);
      await expectSameAsSql(pair.world, pair.copy, backup, only(all, 'nasty_types'));
    },
  },
  limited(
    'limited_reload',
    "A user with exactly README's privileges and RELOAD, on a server with a binary log",
  ),
  limited(
    'limited_lock',
    "A user with exactly README's privileges and LOCK TABLES, as on RDS, on a server with a binary log",
  ),
  {
    id: 'limited-one',
    part: 'backup',
    promise: 'A user with privileges on one database only, and `DATABASES=` with its name',
    run: async (pair) => {
      const all = await content(pair);
      const account = "limited_one@'127.0.0.1'";
      await pair.db.query(`CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY 'geheim'`);
      await pair.db.query(
        `GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON nasty_types.* TO ${account}`,
      );
      const backup = await backUp(pair.world, {
        SOURCE: 'limited-one',
        DATABASES: 'nasty_types',
        USERNAME: 'limited_one',
        PASSWORD: 'geheim',
      });
      await expectSameAsSql(pair.world, pair.copy, backup, only(all, 'nasty_types'));
      return backup.manifest.binlog === null ? 'the backup has no binary log position' : undefined;
    },
  },
  {
    id: 'myloader-whole',
    part: 'myloader',
    promise: 'Loads the backup of the whole server into an empty one',
    run: async (pair) => {
      const { before } = await content(pair);
      await expectSameByMyloader(pair.world, pair.copy, await whole(pair), before);
    },
  },
  {
    id: 'myloader-one',
    part: 'myloader',
    promise: 'Loads the backup of one database into an empty server',
    run: async (pair) => {
      const all = await content(pair);
      await expectSameByMyloader(pair.world, pair.copy, await one(pair), only(all, 'nasty_types'));
    },
  },
  {
    id: 'restore-whole',
    part: 'restore',
    promise: '`restore --check` of the whole server into an empty one',
    run: async (pair) => {
      const { before } = await content(pair);
      await whole(pair);
      await dropAll(pair.copy);
      const ended = await restoreInto(pair.world, pair.copy, ['latest', '--check'], { SOURCE: 'whole' });
      if (ended.code !== 0) throw new Error(`exit ${ended.code}: ${reasonOf(ended)}`);
      await expectSame(pair.copy, before);
    },
  },
  {
    id: 'restore-as',
    part: 'restore',
    promise: '`restore --as` loads one database under another name',
    run: async (pair) => {
      const all = await content(pair);
      await whole(pair);
      await dropAll(pair.copy);
      const argv = ['restore', 'latest', '--databases', OBJECTS, '--as', 'an"other name', '--check'];
      const ended = await runProgram(into(pair.world, pair.copy, { SOURCE: 'whole' }), argv);
      if (ended.code !== 0) throw new Error(`exit ${ended.code}: ${reasonOf(ended)}`);
      await expectSame(pair.copy, renamed(only(all, OBJECTS), OBJECTS, 'an"other name'));
    },
  },
];
