import { renamed } from '../../restore/setting.ts';
import { describeServer, type ServerDescription } from '../../support/mariadb/compare.ts';
import { createNastyDatabases } from '../../support/mariadb/dataset.ts';
import type { MariaDb } from '../../support/mariadb/harness.ts';
import { quoteName } from '../../support/mariadb/sql.ts';
import { runProgram } from '../../support/program.ts';
import type { Pair, Row } from '../row.ts';
import { type Backup, backUp, expectSameAsSql, expectSameByMyloader, reasonOf } from '../runs.ts';
import { expectRestored, once } from './loads.ts';

const OBJECTS = 'nasty objects-1';
const ONE = 'nasty_types';

type Content = { readonly databases: readonly string[]; readonly before: ServerDescription };

/**
 * Databases with tables of every kind. Odd names and routines are left out: other rows cover them.
 */
const content = once(async ({ db }): Promise<Content> => {
  const databases = await createNastyDatabases(db, {
    seed: 7,
    rows: 12,
    plainNames: true,
    routines: false,
  });
  return { databases, before: await describeServer(db, databases) };
});

/** A backup of all databases. It must run before other rows add theirs. */
const whole = once(async (pair): Promise<Backup> => {
  await content(pair);
  return backUp(pair.world, { SOURCE: 'whole' });
});

const one = once(async (pair): Promise<Backup> => {
  await content(pair);
  return backUp(pair.world, { SOURCE: 'one', DATABASES: ONE });
});

function only({ before }: Content, database: string): ServerDescription {
  const name = quoteName(database);
  const objects = Object.entries(before.objects).filter(
    ([key]) => key === `database ${name}` || key.includes(` ${name}.`),
  );
  return { objects: Object.fromEntries(objects) };
}

/**
 * Makes a backup as a user with exactly these privileges. Compares it with the objects that the
 * user may see.
 */
async function asUser(
  { db, world, copy }: Pair,
  user: string,
  grants: readonly string[],
  before: ServerDescription,
  extra: Record<string, string> = {},
): Promise<string | undefined> {
  const account = `${user}@'127.0.0.1'`;
  await db.query(`CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY 'geheim'`);
  for (const grant of grants) await db.query(`GRANT ${grant} TO ${account}`);
  const backup = await backUp(world, {
    SOURCE: user,
    USERNAME: user,
    PASSWORD: 'geheim',
    ...extra,
  });
  await expectSameAsSql(world, copy, backup, before);
  const { binlog, binlogMissingReason, consistency } = backup.manifest;
  const expected = grants.some((grant) => grant.includes('RELOAD')) ? 'ftwrl' : 'lock-all';
  if (consistency.lock !== expected)
    throw new Error(`locked by ${consistency.lock}: ${consistency.description}`);
  if (binlog !== null) return undefined;
  if (binlogMissingReason === null)
    throw new Error('the manifest has no binary log position and no reason');
  return `without a binary log position: ${binlogMissingReason}`;
}

/** The privileges of README.md, without the one for the binary log position. */
function readme(db: MariaDb, lock: 'RELOAD' | 'LOCK TABLES'): string[] {
  const grants = [`SELECT, SHOW VIEW, TRIGGER, EVENT, PROCESS, ${lock} ON *.*`];
  return db.vendor === 'mysql' ? [...grants, 'SHOW_ROUTINE ON *.*'] : grants;
}

export const contentRows: readonly Row[] = [
  {
    id: 'whole-server',
    part: 'backup',
    promise:
      'The whole server: tables of every kind, views, triggers, events; no system schema; ' +
      '`verify` finds no fault',
    run: async (pair) => {
      const { databases, before } = await content(pair);
      const backup = await whole(pair);
      const held = backup.manifest.databases.toSorted();
      if (held.join() !== databases.toSorted().join())
        throw new Error(`it holds ${held.join(', ')}`);
      await expectSameAsSql(pair.world, pair.copy, backup, before);
      const verified = await runProgram(pair.world.environment({ SOURCE: 'whole' }), [
        'verify',
        'latest',
      ]);
      if (verified.code !== 0) throw new Error(`verify finds a fault: ${reasonOf(verified)}`);
      return undefined;
    },
  },
  {
    id: 'one-database',
    part: 'backup',
    promise: '`DATABASES=` with one name: that database with its definition, and nothing else',
    run: async (pair) => {
      const known = await content(pair);
      const backup = await one(pair);
      const others = backup.manifest.files.filter(
        ({ database }) => database !== null && database !== ONE,
      );
      if (others.length > 0)
        throw new Error(`it holds ${others.map(({ name }) => name).join(', ')}`);
      await expectSameAsSql(pair.world, pair.copy, backup, only(known, ONE));
      return undefined;
    },
  },
  {
    id: 'limited-reload',
    part: 'backup',
    promise:
      'A user with `SELECT, SHOW VIEW, TRIGGER, EVENT, PROCESS, RELOAD`, ' +
      'on a server with a binary log',
    run: async (pair) => {
      const { before } = await content(pair);
      return asUser(pair, 'limited_reload', readme(pair.db, 'RELOAD'), before);
    },
  },
  {
    id: 'limited-lock-tables',
    part: 'backup',
    promise: 'The same user with `LOCK TABLES` in place of `RELOAD`, as on RDS',
    run: async (pair) => {
      const { before } = await content(pair);
      return asUser(pair, 'limited_lock', readme(pair.db, 'LOCK TABLES'), before);
    },
  },
  {
    id: 'limited-one',
    part: 'backup',
    promise: 'A user with privileges on one database only, and `DATABASES=` with its name',
    run: async (pair) => {
      const known = await content(pair);
      const grants = [`SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON ${ONE}.*`];
      return asUser(pair, 'limited_one', grants, only(known, ONE), { DATABASES: ONE });
    },
  },
  {
    id: 'whole-server-myloader',
    part: 'myloader',
    promise: 'Loads the backup of the whole server into an empty one',
    run: async (pair) => {
      const { before } = await content(pair);
      await expectSameByMyloader(pair.world, pair.copy, await whole(pair), before);
      return undefined;
    },
  },
  {
    id: 'one-database-myloader',
    part: 'myloader',
    promise: 'Loads the backup of one database into an empty server',
    run: async (pair) => {
      const known = await content(pair);
      await expectSameByMyloader(pair.world, pair.copy, await one(pair), only(known, ONE));
      return undefined;
    },
  },
  {
    id: 'whole-server-restore',
    part: 'restore',
    promise: '`restore --check` of the whole server into an empty one',
    run: async (pair) => {
      const { before } = await content(pair);
      await whole(pair);
      await expectRestored(pair, { SOURCE: 'whole' }, before);
      return undefined;
    },
  },
  {
    id: 'restore-as',
    part: 'restore',
    promise: '`restore --as` loads one database under another name',
    run: async (pair) => {
      const known = await content(pair);
      await whole(pair);
      const before = renamed(only(known, OBJECTS), OBJECTS, 'an"other näme');
      await expectRestored(pair, { SOURCE: 'whole' }, before, [
        '--databases',
        OBJECTS,
        '--as',
        'an"other näme',
      ]);
      return undefined;
    },
  },
];
