import type { Generation } from '../../app/mydumper/version.ts';

/** Lines of SHOW GRANTS as servers print them, cut before IDENTIFIED as the inventory cuts them. */
export const GRANTS = {
  'root of MySQL 8': [
    'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, SHUTDOWN, PROCESS, ' +
      'FILE, REFERENCES, INDEX, ALTER, SHOW DATABASES, SUPER, CREATE TEMPORARY TABLES, ' +
      'LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, ' +
      'SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, ' +
      'CREATE TABLESPACE, CREATE ROLE, DROP ROLE' +
      ' ON *.* TO `root`@`localhost` WITH GRANT OPTION',
    'GRANT APPLICATION_PASSWORD_ADMIN,AUDIT_ADMIN,BACKUP_ADMIN,BINLOG_ADMIN,' +
      'CONNECTION_ADMIN,FLUSH_OPTIMIZER_COSTS,FLUSH_STATUS,FLUSH_TABLES,' +
      'FLUSH_USER_RESOURCES,SYSTEM_USER,XA_RECOVER_ADMIN' +
      ' ON *.* TO `root`@`localhost` WITH GRANT OPTION',
    "GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION",
  ],
  'root of MariaDB 10.11': [
    'GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`',
    "GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION",
  ],
  'a backup user with RELOAD': [
    'GRANT SELECT, RELOAD, PROCESS, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON *.* TO `backup`@`%`',
  ],
  'a MySQL 8 user with FLUSH_TABLES': [
    'GRANT SELECT, PROCESS, SHOW VIEW, EVENT, TRIGGER ON *.* TO `backup`@`%`',
    'GRANT FLUSH_TABLES,SHOW_ROUTINE ON *.* TO `backup`@`%`',
  ],
  'a user with LOCK TABLES': [
    'GRANT SELECT, PROCESS, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON *.* TO `backup`@`%`',
  ],
  'a user with LOCK TABLES on a database': [
    'GRANT USAGE ON *.* TO `backup`@`%`',
    'GRANT SELECT, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON `shop`.* TO `backup`@`%`',
  ],
  'the owner of a database': [
    'GRANT USAGE ON *.* TO `shop`@`%`',
    'GRANT ALL PRIVILEGES ON `shop`.* TO `shop`@`%`',
  ],
  'a reader': ['GRANT SELECT, PROCESS, SHOW VIEW, EVENT, TRIGGER ON *.* TO `reader`@`%`'],
  'a user with dynamic privileges that look alike': [
    'GRANT SELECT ON *.* TO `u`@`%`',
    'GRANT FLUSH_STATUS,FLUSH_USER_RESOURCES,BACKUP_ADMIN,CONNECTION_ADMIN ON *.* TO `u`@`%`',
  ],
  nobody: ['GRANT USAGE ON *.* TO `nobody`@`%`'],
} as const;

export type Who = keyof typeof GRANTS;
const GENERATIONS: readonly Generation[] = ['classic', 'modern'];
/** Each row for both generations of mydumper. */
export const both = <T extends readonly unknown[]>(rows: readonly T[]) =>
  rows.flatMap((row) => GENERATIONS.map((generation) => [generation, ...row] as const));
