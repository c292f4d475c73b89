import type { Vendor } from './server-program.ts';

/** An option file for the server. */
export function configFile(lines: readonly string[]): string {
  return `[mysqld]\n${lines.join('\n')}\n`;
}

const COMMON = [
  'skip-name-resolve',
  'skip-log-bin',
  'bind-address=127.0.0.1',
  'character-set-server=utf8mb4',
  'max_allowed_packet=256M',
  'innodb_buffer_pool_size=128M',
  'innodb_flush_log_at_trx_commit=0',
  'innodb_doublewrite=0',
  'innodb_flush_method=nosync',
  'innodb_buffer_pool_dump_at_shutdown=0',
  'innodb_buffer_pool_load_at_startup=0',
  'key_buffer_size=8M',
  'table_open_cache=400',
  'max_connections=100',
];

/** For tests: little memory, nothing that must survive a crash of the machine. */
export const FAST_AND_SMALL: Readonly<Record<Vendor, readonly string[]>> = {
  mariadb: [
    ...COMMON,
    'performance_schema=OFF',
    'innodb_log_file_size=16M',
    'aria_pagecache_buffer_size=8M',
  ],
  mysql: [
    ...COMMON,
    'mysqlx=OFF',
    // Debian's default names a directory that only its package makes.
    'secure-file-priv=',
    'innodb_redo_log_capacity=32M',
    // Row numbers come from a recursive query, where MariaDB has sequence tables.
    'cte_max_recursion_depth=4294967295',
  ],
};
