import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../app/database/connection.ts';
import { holds } from '../../app/database/grants.ts';
import { type Inventory, readInventory } from '../../app/database/inventory.ts';
import {
  positionStatement,
  readUserRights,
  type UserRights,
} from '../../app/database/user-rights.ts';
import type { Generation } from '../../app/mydumper/version.ts';
import { WITH_BINARY_LOG } from '../support/mariadb/binary-log.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { createPrivilegeDatabases } from '../support/privileges/users.ts';

let db: MariaDb;

beforeAll(async () => {
  db = await startMariaDb({ config: WITH_BINARY_LOG });
  await createPrivilegeDatabases(db);
});
afterAll(() => db?.stop());

/** The inventory and the rights as a user with these grants reads them. */
async function lookAs(
  grants: readonly string[],
  options: {
    generation?: Generation;
    databases?: readonly string[];
    roles?: readonly string[];
  } = {},
): Promise<Inventory & UserRights> {
  const { generation = 'modern', databases = [], roles = [] } = options;
  await db.query("CREATE USER u@'127.0.0.1'");
  for (const grant of grants) await db.query(`GRANT ${grant} TO u@'127.0.0.1'`);
  for (const statement of roles) await db.query(statement);
  try {
    const database = await openDatabase(serverAddress(db, { user: 'u', password: '' }));
    try {
      const inventory = await readInventory(database, databases);
      return { ...inventory, ...(await readUserRights(database, generation, inventory)) };
    } finally {
      await database.close();
    }
  } finally {
    await db.query("DROP USER u@'127.0.0.1'");
  }
}

test('the account is as grants name it, and needs a grant to ask for the position', async () => {
  const rights = await lookAs(['SELECT ON shop.*']);
  expect(rights).toMatchObject({
    account: '`u`@`127.0.0.1`',
    position: {
      kind: 'denied',
      errorNumber: 1227,
      statement: expect.stringMatching(/^SHOW \w+ .*STATUS$/),
    },
    writesBinaryLog: true,
    inactiveRoles: [],
    unreadableRoutines: [],
  });
});

test('the privilege for the position lets the user ask, also through a role', async () => {
  const privilege = db.vendor === 'mysql' ? 'REPLICATION CLIENT' : 'BINLOG MONITOR';
  expect((await lookAs([`${privilege} ON *.*`, 'SELECT ON shop.*'])).position).toEqual({
    kind: 'told',
  });
  await db.query('CREATE ROLE replicator');
  try {
    await db.query(`GRANT ${privilege} ON *.* TO replicator`);
    const set =
      db.vendor === 'mysql'
        ? "SET DEFAULT ROLE replicator TO u@'127.0.0.1'"
        : "SET DEFAULT ROLE replicator FOR u@'127.0.0.1'";
    const grants = ['SELECT ON shop.*', 'replicator'];
    expect(await lookAs(grants, { roles: [set] })).toMatchObject({
      position: { kind: 'told' },
      inactiveRoles: [],
    });
    expect(await lookAs(grants)).toMatchObject({
      position: { kind: 'denied' },
      inactiveRoles: [db.vendor === 'mysql' ? '`replicator`@`%`' : '`replicator`'],
    });
  } finally {
    await db.query('DROP ROLE replicator');
  }
});

test('privileges of active roles, and of roles in them, are among the grants', async () => {
  for (const role of ['inner_role', 'outer_role']) await db.query(`CREATE ROLE ${role}`);
  try {
    await db.query('GRANT EVENT ON crm.* TO inner_role');
    await db.query('GRANT inner_role TO outer_role');
    const word = db.vendor === 'mysql' ? 'TO' : 'FOR';
    const roles = [`SET DEFAULT ROLE outer_role ${word} u@'127.0.0.1'`];
    const { grants } = await lookAs(['SELECT ON shop.*', 'outer_role'], { roles });
    expect(holds(grants, ['EVENT'], 'crm')).toBe(true);
    expect(holds((await lookAs(['SELECT ON shop.*', 'outer_role'])).grants, ['EVENT'], 'crm')).toBe(
      false,
    );
  } finally {
    for (const role of ['inner_role', 'outer_role']) await db.query(`DROP ROLE ${role}`);
  }
});

test('routines that the user sees without their bodies are named', async () => {
  const { unreadableRoutines } = await lookAs(['SELECT, EXECUTE ON shop.*', 'SELECT ON crm.*']);
  expect(unreadableRoutines.map(({ database, name }) => `${database}.${name}`).toSorted()).toEqual([
    'shop.f',
    'shop.p',
  ]);
  expect((await lookAs(['SELECT ON *.*'])).unreadableRoutines).toEqual([]);
});

// 0.10 lists the events of every database it sees, unless it gets a single one. 1.x gets a list.
test('mydumper opens databases that it does not dump only without a list of them', async () => {
  const grants = ['SELECT ON shop.*', 'SELECT ON crm.*', 'SELECT ON old.*'];
  const opened = async (generation: Generation, databases: readonly string[]) =>
    (await lookAs(grants, { generation, databases })).openedDatabases.toSorted();
  expect(await opened('modern', ['shop', 'crm'])).toEqual(['crm', 'shop']);
  expect(await opened('classic', ['shop'])).toEqual(['shop']);
  expect(await opened('classic', ['shop', 'crm'])).toEqual(['crm', 'old', 'shop']);
});

test.each([
  ['classic', 'mysql', '9.7.4', undefined, 'SHOW MASTER STATUS'],
  ['classic', 'mariadb', '11.8.9-MariaDB', undefined, 'SHOW MASTER STATUS'],
  ['modern', 'mariadb', '11.8.9-MariaDB', undefined, 'SHOW MASTER STATUS'],
  ['modern', 'mysql', '8.0.40', undefined, 'SHOW MASTER STATUS'],
  ['modern', 'mysql', '8.4.3', undefined, 'SHOW BINARY LOG STATUS'],
  ['modern', 'mysql', '9.7.4-2', undefined, 'SHOW BINARY LOG STATUS'],
  ['modern', 'mysql', '9.7.4-2', 'mysql-9.7.4', 'SHOW BINARY LOG STATUS'],
  // It looks at the second number alone; inventory.ts passes it another.
  ['modern', 'mysql', '9.1.0', undefined, 'SHOW MASTER STATUS'],
  ['modern', 'mysql', '9.1.0', 'mysql-9.2.0', 'SHOW BINARY LOG STATUS'],
] as const)(
  '%s asks %s %s (hint: %s) with %s',
  (generation, vendor, version, productHint, statement) => {
    expect(positionStatement(generation, { vendor, version, productHint })).toBe(statement);
  },
);
