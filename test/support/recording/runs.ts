import type { LockPlan } from '../../../app/mydumper/arguments.ts';
import { ARCHIVE, BULK, ODD_NAMES, SHOP, WITH_DOT } from './dataset.ts';
import { disturbedRuns } from './disturbed-runs.ts';
import type { RecordedRun } from './recorded-run.ts';
import { userRuns } from './user-runs.ts';

function lockedAs(lock: LockPlan): RecordedRun {
  return {
    name: `lock-${lock}`,
    run: `A database of InnoDB tables, LOCK_MODE=${lock}.`,
    data: [SHOP],
    databases: ['shop'],
    lock,
  };
}

/** All runs of mydumper to record on a server of this vendor, in their order. */
export function runsFor(vendor: 'mariadb' | 'mysql'): readonly RecordedRun[] {
  return [
    {
      name: 'whole-server',
      run:
        'The whole server: tables with and without transactions, a view, triggers, programs, ' +
        'odd names.',
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
    ...userRuns(vendor),
    {
      name: 'wrong-password',
      run: 'A wrong password.',
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
      run: 'A MySQL that mydumper does not recognise, without the option that names it.',
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
    ...disturbedRuns,
  ];
}
