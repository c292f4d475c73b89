import { setTimeout as sleep } from 'node:timers/promises';
import type { LockPlan } from '../../../app/mydumper/arguments.ts';
import { ARCHIVE, BULK, ODD_NAMES, SHOP, WIDE, WITH_DOT } from './dataset.ts';
import type { HeldRelay } from './held-relay.ts';
import type { RecordedServer } from './server.ts';
import type { RunningTool } from './watch-tool.ts';

/** One run of mydumper to record. */
export type RecordedRun = {
  readonly name: string;
  /** What is run, in one sentence; goes into the recording. */
  readonly run: string;
  /** Databases that are made first. */
  readonly data: readonly (readonly string[])[];
  /** DATABASES; empty for the whole server. */
  readonly databases?: readonly string[];
  readonly lock?: LockPlan;
  /** Privileges of the user who dumps; root when not given. */
  readonly privileges?: readonly string[];
  /** What they are on; everything when not given. */
  readonly privilegesOn?: string;
  /** The password that mydumper is given, when not the right one. */
  readonly password?: string;
  readonly tlsRequired?: true;
  /** Arguments to leave out and to add. */
  readonly without?: RegExp;
  readonly further?: readonly string[];
  /** Errors that the program tells 1.x to ignore. */
  readonly ignoredErrors?: readonly number[];
  /** Left out of the option file. */
  readonly withoutOption?: RegExp;
  /** Size of the file system that is dumped into; that of the machine when not given. */
  readonly diskBytes?: number;
  /** 1.x is not told which server it is, where it cannot know. */
  readonly unnamed?: true;
  readonly onlyOn?: RegExp;
  /**
   * Lets mydumper run until this line, stops its server's answers there, acts, and lets it go on.
   */
  readonly middle?: { readonly at: RegExp; readonly act: (here: Middle) => Promise<void> };
};

export type Middle = {
  readonly server: RecordedServer;
  readonly relay: HeldRelay;
  readonly tool: RunningTool;
};

/** What the README asks for, with the global read lock. */
const README = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT', 'PROCESS', 'RELOAD'];
const BINLOG = { mariadb: 'BINLOG MONITOR', mysql: 'REPLICATION CLIENT' } as const;
const ROUTINES = { mariadb: 'SHOW CREATE ROUTINE', mysql: 'SHOW_ROUTINE' } as const;

const without = (...names: readonly string[]) => README.filter((name) => !names.includes(name));

/** When the rows of the third large table begin. */
const IN_THE_MIDDLE = /`bulk`\.`part_3` \[/;
const ACTING_MILLISECONDS = 500;

function signalled(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR1'): RecordedRun {
  return {
    name: signal.toLowerCase(),
    run: `${signal} while rows are read.`,
    data: [BULK],
    databases: ['bulk'],
    middle: { at: IN_THE_MIDDLE, act: send(signal) },
  };
}

function send(signal: NodeJS.Signals): (here: Middle) => Promise<void> {
  return async ({ tool }) => {
    tool.acted(signal);
    tool.kill(signal);
    await sleep(ACTING_MILLISECONDS);
  };
}

function lockedAs(lock: LockPlan): RecordedRun {
  return {
    name: `lock-${lock}`,
    run: `A database of InnoDB tables, LOCK_MODE=${lock}.`,
    data: [SHOP],
    databases: ['shop'],
    lock,
  };
}

function asUser(
  name: string,
  run: string,
  privileges: readonly string[],
  lock: LockPlan = 'ftwrl',
): RecordedRun {
  return { name, run, data: [SHOP], databases: ['shop'], privileges, lock };
}

/** Ends the connections that read rows of the wide table. */
async function killReaders({ server, tool }: Middle): Promise<void> {
  await sleep(ACTING_MILLISECONDS);
  const readers = await server.query(
    "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND INFO LIKE 'SELECT %`wide`%'",
  );
  if (readers.length === 0) throw new Error('no connection reads rows of the wide table');
  tool.acted('KILL of the connections that read rows of bulk.wide');
  for (const { id } of readers) await server.query(`KILL ${id}`);
  await sleep(ACTING_MILLISECONDS);
}

export function runsFor(vendor: 'mariadb' | 'mysql'): readonly RecordedRun[] {
  const routines = ROUTINES[vendor];
  const all = [...README, ...(vendor === 'mysql' ? [routines] : []), BINLOG[vendor]];
  return [
    {
      name: 'whole-server',
      run: 'The whole server: tables with and without transactions, a view, triggers, programs, odd names.',
      data: [SHOP, ARCHIVE, ODD_NAMES],
    },
    {
      name: 'one-database',
      run: 'One database of InnoDB tables, DATABASES=shop.',
      data: [SHOP],
      databases: ['shop'],
    },
    {
      name: 'large-tables',
      run: 'Tables that do not fit into one file each.',
      data: [BULK],
      databases: ['bulk'],
    },
    lockedAs('lock-all'),
    lockedAs('safe-no-lock'),
    lockedAs('none'),
    {
      name: 'lock-all-without-transactions',
      run: 'Tables with and without transactions, LOCK_MODE=lock-all.',
      data: [SHOP, ARCHIVE],
      lock: 'lock-all',
    },
    asUser(
      'user',
      'A user with the privileges of the README and the one to read the position of the binary log.',
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
        'The same user, and mydumper told to ignore that the position is refused.',
        all.filter((name) => name !== BINLOG[vendor]),
      ),
      ignoredErrors: [1227],
    },
    asUser(
      'user-without-binlog-lock-all',
      'A user with LOCK TABLES and without RELOAD and the privilege to read the position of the binary log, LOCK_MODE=lock-all.',
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
    {
      name: 'wrong-password',
      run: 'A password that is not the right one.',
      data: [SHOP],
      databases: ['shop'],
      password: 'not the right one',
    },
    {
      name: 'tls-required',
      run: 'TLS required. MariaDB of the tests has none; MySQL has made a certificate of its own.',
      data: [SHOP],
      databases: ['shop'],
      tlsRequired: true,
    },
    {
      name: 'unknown-option',
      run: 'An option that mydumper does not have.',
      data: [SHOP],
      databases: ['shop'],
      further: ['--no-such-option'],
    },
    {
      name: 'not-empty',
      run: 'A directory that is not empty, without --dirty.',
      data: [SHOP],
      databases: ['shop'],
      without: /^--dirty$/,
    },
    {
      name: 'without-engines',
      run: 'Tables without transactions, without the list of engines.',
      data: [SHOP, ARCHIVE],
      without: /^--optimize-keys-engines/,
    },
    {
      name: 'trx-tables-0',
      run: 'Tables without transactions, with --trx-tables=0 in place of the list of engines.',
      data: [SHOP, ARCHIVE],
      without: /^--optimize-keys-engines/,
      further: ['--trx-tables=0'],
    },
    {
      name: 'unnamed-server',
      run: 'A MySQL that mydumper does not recognise, and is not told of.',
      data: [SHOP],
      databases: ['shop'],
      unnamed: true,
      onlyOn: /-unnamed$/,
    },
    {
      name: 'name-with-quote',
      run: 'A table whose name holds an apostrophe.',
      data: [SHOP, ["CREATE TABLE shop.`it's` (id int PRIMARY KEY) ENGINE=InnoDB"]],
      databases: ['shop'],
    },
    {
      name: 'name-with-backtick',
      run: 'A table whose name holds a backtick.',
      data: [
        SHOP,
        [
          'CREATE TABLE shop.`a``b` (id int PRIMARY KEY) ENGINE=InnoDB',
          'INSERT INTO shop.`a``b` VALUES (1)',
        ],
      ],
      databases: ['shop'],
    },
    {
      name: 'database-with-dot',
      run: 'A database whose name holds a dot.',
      data: [WITH_DOT],
      databases: ['has.dot'],
    },
    {
      name: 'name-not-ascii',
      run: 'A table whose name holds letters beyond ASCII.',
      data: [
        SHOP,
        [
          'CREATE TABLE shop.`Bücher` (id int PRIMARY KEY) ENGINE=InnoDB',
          'INSERT INTO shop.`Bücher` VALUES (1)',
        ],
      ],
      databases: ['shop'],
    },
    {
      name: 'database-not-ascii',
      run: 'A database whose name holds letters beyond ASCII.',
      data: [
        [
          'CREATE DATABASE `Läden`',
          'CREATE TABLE `Läden`.t (id int PRIMARY KEY) ENGINE=InnoDB',
          'INSERT INTO `Läden`.t VALUES (1)',
        ],
      ],
      databases: ['Läden'],
    },
    {
      name: 'explain-format-tree',
      run: "The server's own explain_format.",
      data: [SHOP, ['SET GLOBAL explain_format = TREE']],
      databases: ['shop'],
      withoutOption: /^explain_format=/,
      onlyOn: /^mysql/,
    },
    signalled('SIGTERM'),
    {
      ...signalled('SIGTERM'),
      name: 'sigterm-early',
      run: 'SIGTERM while definitions are read.',
      middle: { at: /Transactions started/, act: send('SIGTERM') },
    },
    signalled('SIGINT'),
    signalled('SIGHUP'),
    signalled('SIGUSR1'),
    {
      name: 'connection-killed',
      run: 'The server ends the connection that reads rows, in the middle of them.',
      data: [BULK, WIDE],
      databases: ['bulk'],
      middle: { at: /`bulk`\.`wide` \[/, act: killReaders },
    },
    {
      name: 'server-killed',
      run: 'The server is killed while rows are read.',
      data: [BULK],
      databases: ['bulk'],
      middle: {
        at: IN_THE_MIDDLE,
        act: async ({ server, tool }) => {
          tool.acted('SIGKILL to the server');
          await server.kill();
          await sleep(ACTING_MILLISECONDS);
        },
      },
    },
    {
      name: 'table-dropped',
      run: 'A table is dropped before its rows are read.',
      data: [BULK],
      databases: ['bulk'],
      lock: 'none',
      middle: {
        at: /`bulk`\.`part_6` \[/,
        act: async ({ server, tool }) => {
          tool.acted('DROP TABLE bulk.digits');
          await server.query('SET SESSION lock_wait_timeout = 2');
          await server.query('DROP TABLE bulk.digits');
        },
      },
    },
    {
      name: 'disk-full',
      run: 'A disk too small for the dump.',
      data: [BULK],
      databases: ['bulk'],
      diskBytes: 8 * 1024 * 1024,
    },
  ];
}
