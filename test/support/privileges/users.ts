import { isAtLeast } from '../../../app/database/server-version.ts';
import type { MariaDb } from '../mariadb/harness.ts';
import type { Vendor } from '../mariadb/server-program.ts';

/** Databases with one object of every kind that a privilege shows or hides. */
export const DATABASES = ['shop', 'crm', 'old'] as const;

export async function createPrivilegeDatabases(db: Pick<MariaDb, 'query'>): Promise<void> {
  for (const name of DATABASES) {
    await db.query(`DROP DATABASE IF EXISTS ${name}`);
    await db.query(`CREATE DATABASE ${name}`);
  }
  for (const statement of [
    'CREATE TABLE shop.orders (id int PRIMARY KEY, note varchar(100)) ENGINE=InnoDB',
    "INSERT INTO shop.orders VALUES (1, 'one'), (2, 'two')",
    'CREATE TABLE shop.audit (id int AUTO_INCREMENT PRIMARY KEY, what varchar(50)) ENGINE=InnoDB',
    'CREATE TRIGGER shop.trg AFTER INSERT ON shop.orders FOR EACH ROW ' +
      "INSERT INTO shop.audit (what) VALUES ('new')",
    'CREATE VIEW shop.v AS SELECT id FROM shop.orders',
    'CREATE PROCEDURE shop.p() SELECT 1',
    'CREATE FUNCTION shop.f() RETURNS int DETERMINISTIC RETURN 1',
    "CREATE EVENT shop.e ON SCHEDULE EVERY 1 YEAR STARTS '2035-01-01 00:00:00' DISABLE DO SELECT 1",
    'CREATE TABLE crm.customers (id int PRIMARY KEY) ENGINE=InnoDB',
    'INSERT INTO crm.customers VALUES (1), (2)',
    'CREATE TABLE old.log (id int PRIMARY KEY, note varchar(20)) ENGINE=MyISAM',
    "INSERT INTO old.log VALUES (1, 'a')",
  ])
    await db.query(statement);
}

const ON_DATABASES = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT', 'LOCK TABLES'];
/**
 * The privileges that README.md named before it added the one for the position, without the one for
 * locks.
 */
const FORMERLY = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT', 'PROCESS'];

type Server = { readonly vendor: Vendor; readonly version: string };

/** All privileges that matter, on any server. */
export function allPrivileges({ vendor, version }: Server): string[] {
  const common = [...ON_DATABASES, 'PROCESS', 'RELOAD'];
  if (vendor === 'mysql') return [...common, 'REPLICATION CLIENT', 'BACKUP_ADMIN', 'SHOW_ROUTINE'];
  const routines = isAtLeast(version, 11, 3) ? ['SHOW CREATE ROUTINE'] : [];
  return [...common, 'BINLOG MONITOR', 'SLAVE MONITOR', ...routines];
}

/**
 * Users by the privilege that they do not have, each with its grants as they stand between GRANT
 * and TO. `db` users have every grantable privilege on each database.
 */
export function privilegeUsers(server: Server): Readonly<Record<string, readonly string[]>> {
  const all = allPrivileges(server);
  const everywhere = (privileges: readonly string[]) => [`${privileges.join(', ')} ON *.*`];
  const without = (left: RegExp) => all.filter((name) => !left.test(name));
  const onDatabases = (privileges: readonly string[]) =>
    DATABASES.map((name) => `${privileges.join(', ')} ON ${name}.*`);
  const global = all.filter(
    (name) => !ON_DATABASES.includes(name) && name !== 'SHOW CREATE ROUTINE',
  );
  const routine = all.includes('SHOW CREATE ROUTINE') ? ['SHOW CREATE ROUTINE'] : [];
  // Older MariaDB shows routines to a user who may read their table, and also that table's
  // database.
  const bodies =
    server.vendor === 'mysql' || routine.length > 0
      ? []
      : ['SELECT ON mysql.proc', 'EVENT ON mysql.*'];
  const blind = global.filter((name) => name !== 'SHOW_ROUTINE');
  const users: Record<string, readonly string[]> = { nothing: everywhere(all) };
  for (const name of all) users[name] = everywhere(all.filter((other) => other !== name));
  // MariaDB names triggers to such a user, and refuses their text.
  if (server.vendor === 'mariadb')
    users['TRIGGER, with INSERT'] = everywhere([...without(/^TRIGGER$/), 'INSERT']);
  const formerly = server.vendor === 'mysql' ? [...FORMERLY, 'SHOW_ROUTINE'] : FORMERLY;
  users['formerly sufficient, RELOAD'] = everywhere([...formerly, 'RELOAD']);
  users['formerly sufficient, LOCK TABLES'] = everywhere([...formerly, 'LOCK TABLES']);
  users['db: nothing'] = [
    ...everywhere(global),
    ...bodies,
    ...onDatabases([...ON_DATABASES, ...routine]),
  ];
  for (const name of ON_DATABASES) {
    const left = ON_DATABASES.filter((other) => other !== name);
    users[`db: ${name}`] = [
      ...everywhere(global),
      ...bodies,
      ...onDatabases([...left, ...routine]),
    ];
  }
  users['db: routines'] = [...everywhere(blind), ...onDatabases(ON_DATABASES)];
  users['db: bodies of routines'] = [
    ...everywhere(blind),
    ...onDatabases([...ON_DATABASES, 'EXECUTE']),
  ];
  users['db: EVENT on one'] = [
    ...everywhere(global),
    ...bodies,
    ...onDatabases([...ON_DATABASES, ...routine]).slice(0, 2),
    `${['SELECT', 'LOCK TABLES', 'TRIGGER', ...routine].join(', ')} ON old.*`,
  ];
  const tables = ['SELECT ON shop.v', 'SELECT ON crm.customers', 'SELECT ON old.log'];
  const others = ON_DATABASES.filter((name) => name !== 'SELECT');
  users['SELECT on one table'] = [
    ...everywhere(global),
    ...bodies,
    ...onDatabases([...others, ...routine]),
    'SELECT ON shop.orders',
    ...tables,
  ];
  users['SELECT on a column'] = [
    ...everywhere(global),
    ...bodies,
    ...onDatabases([...others, ...routine]),
    'SELECT (id) ON shop.orders',
    'SELECT ON shop.audit',
    ...tables,
  ];
  users.SUPER = [...everywhere(without(/BINLOG MONITOR|REPLICATION CLIENT/)), 'SUPER ON *.*'];
  return users;
}
