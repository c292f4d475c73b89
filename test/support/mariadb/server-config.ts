/** An option file for the server. */
export function configFile(lines: readonly string[]): string {
  return `[mysqld]\n${lines.join('\n')}\n`;
}

/** For tests: little memory, nothing that must survive a crash of the machine. */
export const FAST_AND_SMALL = [
  'skip-name-resolve',
  'skip-log-bin',
  'bind-address=127.0.0.1',
  'performance_schema=OFF',
  'character-set-server=utf8mb4',
  'max_allowed_packet=256M',
  'innodb_buffer_pool_size=128M',
  'innodb_log_file_size=16M',
  'innodb_flush_log_at_trx_commit=0',
  'innodb_doublewrite=0',
  'innodb_flush_method=nosync',
  'innodb_buffer_pool_dump_at_shutdown=0',
  'innodb_buffer_pool_load_at_startup=0',
  'key_buffer_size=8M',
  'aria_pagecache_buffer_size=8M',
  'table_open_cache=400',
  'max_connections=100',
];
