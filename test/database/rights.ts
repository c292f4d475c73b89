import type { Lockable } from '../../app/database/locking.ts';

/** Grants of a user who misses no privilege, as MySQL prints them. */
export const ROOT = [
  'GRANT SELECT, RELOAD, PROCESS, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER, REPLICATION CLIENT ' +
    'ON *.* TO `b`@`%`',
];

/** A server on which the account `b`@`%` holds these grants, and may ask for the position. */
export function serverOf(grants: readonly string[], changed: Partial<Lockable> = {}): Lockable {
  return {
    vendor: 'mariadb',
    version: '10.11.14-MariaDB',
    managedByAws: false,
    grants,
    literalNames: false,
    databases: ['shop'],
    tables: [{ database: 'shop', table: 'orders', engine: 'innodb' }],
    views: [],
    account: '`b`@`%`',
    inactiveRoles: [],
    position: { kind: 'told' },
    writesBinaryLog: true,
    openedDatabases: ['shop'],
    unreadableRoutines: [],
    unreadableTriggers: [],
    ...changed,
  };
}
