import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../app/database/connection.ts';
import { readInventory } from '../../app/database/inventory.ts';
import { unseenPrograms } from '../../app/database/privileges.ts';
import { type Program, type Programs, readPrograms } from '../../app/database/programs.ts';
import { isAtLeast } from '../../app/database/server-version.ts';
import { readUserRights } from '../../app/database/user-rights.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { serverProgram } from '../support/mariadb/server-program.ts';

// What users with few privileges see of programs, compared with all of them. Whatever is missing or
// altered must have a reason in the manifest. Runs with servers of both vendors.

const server = await serverProgram();
const isMysql = server.vendor === 'mysql';
let db: MariaDb;
let all: ReadonlyMap<string, Program>;

beforeAll(async () => {
  db = await startMariaDb();
  for (const sql of [
    'CREATE DATABASE shop',
    'CREATE DATABASE crm',
    'CREATE TABLE shop.orders (id int PRIMARY KEY)',
    'CREATE TABLE shop.audit (id int PRIMARY KEY)',
    'CREATE TABLE crm.customers (id int PRIMARY KEY)',
    'CREATE TRIGGER shop.t1 BEFORE INSERT ON shop.orders FOR EACH ROW SET @a = 1',
    'CREATE TRIGGER shop.t2 BEFORE INSERT ON shop.audit FOR EACH ROW SET @a = 1',
    'CREATE TRIGGER crm.t BEFORE INSERT ON crm.customers FOR EACH ROW SET @a = 1',
    'CREATE PROCEDURE shop.p() SELECT 1',
    'CREATE FUNCTION shop.f() RETURNS int DETERMINISTIC RETURN 1',
    'CREATE PROCEDURE crm.p() SELECT 1',
    'CREATE EVENT shop.e ON SCHEDULE EVERY 1 YEAR DISABLE DO SELECT 1',
    'CREATE EVENT crm.e ON SCHEDULE EVERY 1 YEAR DISABLE DO SELECT 1',
  ])
    await db.query(sql);
  const { list } = await look('root', '');
  all = new Map(list.map((program) => [keyOf(program), program]));
  expect(all.size).toBe(8);
});
afterAll(() => db?.stop());

type Seen = Programs & { readonly databases: readonly string[] };

async function look(user: string, password: string, wanted: readonly string[] = []): Promise<Seen> {
  const account = user === 'root' ? {} : { user, password };
  const database = await openDatabase(serverAddress(db, account));
  try {
    const inventory = await readInventory(database, wanted);
    const rights = await readUserRights(database, 'modern', inventory);
    const { databases } = inventory;
    const list = await readPrograms(database, databases);
    return { databases, list, unseen: unseenPrograms({ ...inventory, ...rights }) };
  } finally {
    await database.close();
  }
}

function keyOf({ kind, database, name }: Program): string {
  return `${kind} ${database}.${name}`;
}

/** What a reason of the manifest calls a program of this kind. */
function wordOf({ kind }: Program): string {
  return kind === 'trigger' || kind === 'event' ? `${kind}s` : 'routines';
}

/** Programs in the user's databases that are missing or altered, without a reason in `unseen`. */
function silent({ databases, list, unseen }: Seen): string[] {
  const seen = new Map(list.map((program) => [keyOf(program), JSON.stringify(program)]));
  return [...all]
    .filter(([key, program]) => {
      const { database } = program;
      if (!databases.includes(database) || seen.get(key) === JSON.stringify(program)) return false;
      return !unseen.some(
        (line) =>
          line.includes(`cannot see ${wordOf(program)}`) && line.includes(JSON.stringify(database)),
      );
    })
    .map(([key]) => key);
}

/** Reasons for databases of which the user does see every program of that kind, as it is. */
function needless({ list, unseen }: Seen): string[] {
  return unseen.filter((line) => {
    const own = [...all.values()].filter(
      (program) =>
        line.includes(`cannot see ${wordOf(program)}`) &&
        line.includes(JSON.stringify(program.database)),
    );
    const seen = new Set(list.map((program) => JSON.stringify(program)));
    return own.length > 0 && own.every((program) => seen.has(JSON.stringify(program)));
  });
}

let users = 0;

/** The privileges that a user gets itself, by a default role, or as PUBLIC. */
async function withUser<T>(
  via: string,
  statements: (to: string) => readonly string[],
  use: (user: string) => Promise<T>,
): Promise<T> {
  users += 1;
  const [user, role] = [`u${users}`, `r${users}`];
  const account = `${user}@'127.0.0.1'`;
  await db.query(`CREATE USER ${account} IDENTIFIED BY 'geheim'`);
  try {
    if (via !== 'role') {
      const to = via === 'PUBLIC' ? via : account;
      for (const sql of statements(to)) await db.query(sql);
      return await use(user);
    }
    await db.query(`CREATE ROLE ${role}`);
    for (const sql of statements(role)) await db.query(sql);
    await db.query(`GRANT ${role} TO ${account}`);
    await db.query(`SET DEFAULT ROLE ${role} ${isMysql ? 'TO' : 'FOR'} ${account}`);
    return await use(user);
  } finally {
    await db.query(`DROP USER ${account}`);
    if (via === 'role') await db.query(`DROP ROLE ${role}`);
    if (via === 'PUBLIC') await db.query('REVOKE ALL PRIVILEGES, GRANT OPTION FROM PUBLIC');
  }
}

const ON_TABLES = ['TRIGGER ON shop.orders', 'TRIGGER ON shop.audit'];
const ON_SHOP = [
  ...['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP', 'REFERENCES', 'INDEX', 'ALTER'],
  ...['CREATE VIEW', 'SHOW VIEW', 'LOCK TABLES', 'EVENT', 'TRIGGER', 'EXECUTE', 'CREATE ROUTINE'],
  ...['ALTER ROUTINE', 'ALL PRIVILEGES'],
];
const hasRoutineGrant = !isMysql && isAtLeast(server.version, 11, 3);
const USERS: readonly (readonly string[])[] = [
  ...ON_SHOP.flatMap((name) => [[`${name} ON shop.*`], [`${name} ON *.*`]]),
  ['SELECT, TRIGGER ON shop.orders'],
  ['SELECT, TRIGGER ON shop.orders', 'EVENT, LOCK TABLES ON shop.*'],
  ['SELECT (id), TRIGGER ON shop.orders'],
  ['SELECT ON shop.*', 'TRIGGER ON shop.orders'],
  ['LOCK TABLES ON shop.*', 'TRIGGER ON shop.orders'],
  ['INSERT ON shop.orders', 'SELECT ON shop.*'],
  ['EXECUTE ON PROCEDURE shop.p'],
  ['SELECT, TRIGGER, EVENT ON *.*'],
  ...(isMysql
    ? [['SHOW_ROUTINE ON *.*', 'SELECT ON shop.*']]
    : [
        ['SELECT ON mysql.proc', 'SELECT ON shop.*'],
        ['SELECT ON mysql.*', 'SELECT ON shop.*'],
      ]),
  ...(hasRoutineGrant
    ? [
        ['SHOW CREATE ROUTINE ON *.*', 'SELECT ON shop.*'],
        ['SHOW CREATE ROUTINE ON shop.*'],
        ['SHOW CREATE ROUTINE ON PROCEDURE shop.p', 'SELECT ON shop.*'],
      ]
    : []),
];
const hasPublic = !isMysql && isAtLeast(server.version, 10, 11);
const VIAS = ['grant', 'role', ...(hasPublic ? ['PUBLIC'] : [])];

test.each(VIAS)('by %s: no program is missing or altered without a reason', async (via) => {
  const wrong: string[] = [];
  for (const grants of USERS) {
    const statements = (to: string) => grants.map((grant) => `GRANT ${grant} TO ${to}`);
    const seen = await withUser(via, statements, (user) => look(user, 'geheim'));
    for (const key of silent(seen)) wrong.push(`${grants.join(' + ')}: ${key}`);
    for (const line of needless(seen)) wrong.push(`${grants.join(' + ')}: needless: ${line}`);
  }
  expect(wrong).toEqual([]);
});

test('TRIGGER on each table of a database is enough for who sees all its tables', async () => {
  for (const privilege of ON_SHOP.slice(0, 11)) {
    const grants = [`${privilege} ON shop.*`, ...ON_TABLES];
    const statements = (to: string) => grants.map((grant) => `GRANT ${grant} TO ${to}`);
    const seen = await withUser('grant', statements, (user) => look(user, 'geheim'));
    expect(seen.list.filter(({ kind }) => kind === 'trigger')).toHaveLength(2);
    expect(seen.unseen.filter((line) => line.includes('triggers'))).toEqual([]);
  }
});

test('DATABASES leaves out reasons for other databases', async () => {
  const statements = (to: string) => [`GRANT SELECT ON *.* TO ${to}`];
  const { databases, unseen } = await withUser('grant', statements, (user) =>
    look(user, 'geheim', ['crm']),
  );
  expect(databases).toEqual(['crm']);
  expect(unseen.map((line) => line.match(/"\w+"/g))).toEqual([['"crm"'], ['"crm"']]);
});

const REVOKED: readonly (readonly [granted: string, revoked: string])[] = [
  ['SELECT, TRIGGER', 'SELECT'],
  ['SELECT, TRIGGER, SHOW_ROUTINE', 'SELECT'],
  ['SELECT, TRIGGER', 'TRIGGER'],
  ['SELECT, EVENT', 'EVENT'],
  ['SELECT, EXECUTE', 'EXECUTE'],
  ['TRIGGER, EXECUTE', 'EXECUTE'],
];

test.runIf(isMysql).each(['grant', 'role'])('partial revokes, by %s', async (via) => {
  await db.query('SET GLOBAL partial_revokes = ON');
  const wrong: string[] = [];
  for (const [granted, revoked] of REVOKED) {
    const statements = (to: string) => [
      `GRANT ${granted} ON *.* TO ${to}`,
      `REVOKE ${revoked} ON shop.* FROM ${to}`,
    ];
    const seen = await withUser(via, statements, (user) => look(user, 'geheim'));
    for (const key of silent(seen)) wrong.push(`${granted} without ${revoked}: ${key}`);
    for (const line of needless(seen)) wrong.push(`${granted} without ${revoked}: ${line}`);
  }
  await db.query('SET GLOBAL partial_revokes = OFF');
  expect(wrong).toEqual([]);
});
