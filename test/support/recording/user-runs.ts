import type { LockPlan } from '../../../app/mydumper/arguments.ts';
import { ARCHIVE, SHOP } from './dataset.ts';
import type { RecordedRun } from './recorded-run.ts';

/** The privileges of the README for the global read lock. */
const README = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT', 'PROCESS', 'RELOAD'];
const BINLOG = { mariadb: 'BINLOG MONITOR', mysql: 'REPLICATION CLIENT' } as const;
const ROUTINES = { mariadb: 'SHOW CREATE ROUTINE', mysql: 'SHOW_ROUTINE' } as const;

const without = (...names: readonly string[]) => README.filter((name) => !names.includes(name));

function asUser(
  name: string,
  run: string,
  privileges: readonly string[],
  lock: LockPlan = 'ftwrl',
): RecordedRun {
  return { name, run, data: [SHOP], databases: ['shop'], privileges, lock };
}

/** Runs by users whose privileges are limited. */
export function userRuns(vendor: 'mariadb' | 'mysql'): readonly RecordedRun[] {
  const routines = ROUTINES[vendor];
  const all = [...README, ...(vendor === 'mysql' ? [routines] : []), BINLOG[vendor]];
  return [
    asUser(
      'user',
      'A user with the privileges of the README ' +
        'and the one to read the position of the binary log.',
      all,
    ),
    asUser(
      'user-without-binlog',
      'A user with the privileges of the README, on a server with a binary log.',
      all.filter((name) => name !== BINLOG[vendor]),
    ),
    {
      ...asUser(
        'user-without-position',
        'The same user, and mydumper ignores that the server refuses the position.',
        all.filter((name) => name !== BINLOG[vendor]),
      ),
      ignoredErrors: [1227],
    },
    asUser(
      'user-without-binlog-lock-all',
      'A user with LOCK TABLES and without RELOAD and the privilege to read the position of ' +
        'the binary log, LOCK_MODE=lock-all.',
      [...all.filter((name) => name !== BINLOG[vendor] && name !== 'RELOAD'), 'LOCK TABLES'],
      'lock-all',
    ),
    ...(['ftwrl', 'lock-all', 'safe-no-lock', 'none'] as const).map((lock) =>
      asUser(
        `user-without-locks-${lock}`,
        `A user with neither RELOAD nor LOCK TABLES, LOCK_MODE=${lock}.`,
        all.filter((name) => name !== 'RELOAD'),
        lock,
      ),
    ),
    ...(['SHOW VIEW', 'TRIGGER', 'EVENT', 'PROCESS'] as const).map((name) =>
      asUser(`user-without-${name.toLowerCase().replace(' ', '-')}`, `A user without ${name}.`, [
        ...without(name),
        ...(vendor === 'mysql' ? [routines] : []),
        BINLOG[vendor],
      ]),
    ),
    {
      ...asUser('user-without-routines', `A user without ${routines}.`, [
        ...README,
        BINLOG[vendor],
      ]),
      onlyOn: /^mysql/,
    },
    {
      ...asUser('user-without-select', 'A user with SELECT on nothing.', [
        ...without('SELECT'),
        BINLOG[vendor],
      ]),
    },
    {
      ...asUser(
        'user-of-one-database',
        'A user with privileges on one database only, LOCK_MODE=lock-all.',
        ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT', 'LOCK TABLES'],
        'lock-all',
      ),
      data: [SHOP, ARCHIVE],
      privilegesOn: 'shop.*',
    },
  ];
}
