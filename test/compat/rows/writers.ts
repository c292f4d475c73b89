import type { LockMode } from '../../../app/config.ts';
import { dropAll } from '../../restore/setting.ts';
import type { MariaDb } from '../../support/mariadb/harness.ts';
import { loadAsSql } from '../../support/mariadb/load-as-sql.ts';
import { rowNumbers } from '../../support/mariadb/sql.ts';
import { runProgram } from '../../support/program.ts';
import { startTransfers } from '../../support/transfers.ts';
import type { Pair, Row } from '../row.ts';
import { backUp, unpacked } from '../runs.ts';
import { once } from './loads.ts';

const ACCOUNTS = 500;
const BALANCE = 1000;
/** The longest time that a writer may wait (invariant 4). */
const LONGEST_WAIT_SECONDS = 10;

/**
 * Two tables between which money moves. Two larger tables stand between them in the dump, so that
 * mydumper reads the accounts at two different moments.
 */
const bank = once(async ({ db }): Promise<void> => {
  await db.query('CREATE DATABASE bank');
  for (const table of ['checking', 'saving']) {
    await db.query(
      `CREATE TABLE bank.${table} (id int PRIMARY KEY, balance int NOT NULL) ENGINE=InnoDB`,
    );
    await db.query(
      `INSERT INTO bank.${table} SELECT seq, ${BALANCE} FROM ${rowNumbers(db, ACCOUNTS)}`,
    );
  }
  for (const table of ['middle_1', 'middle_2']) {
    await db.query(`CREATE TABLE bank.${table} (id int PRIMARY KEY, t text) ENGINE=InnoDB`);
    await db.query(
      `INSERT INTO bank.${table} ` +
        `SELECT seq, REPEAT(SHA2(seq, 224), 20) FROM ${rowNumbers(db, 4000)}`,
    );
  }
});

async function sumIn(server: MariaDb): Promise<number> {
  const rows = await server.query(
    'SELECT (SELECT SUM(balance) FROM bank.checking) + (SELECT SUM(balance) FROM bank.saving) n',
  );
  return Number(rows[0]?.n);
}

/**
 * Makes a backup while money moves.
 * @throws Error where the sum in the backup is not the sum of one moment.
 */
async function underWriters(
  pair: Pair,
  mode: LockMode,
  extra: Record<string, string> = {},
): Promise<string> {
  const { db, copy, world } = pair;
  const transfers = await startTransfers(db, {
    accounts: ACCOUNTS,
    tables: ['bank.checking', 'bank.saving'],
  });
  const environment = {
    SOURCE: `locks-${mode}`,
    DATABASES: 'bank',
    THREADS: '2',
    LOCK_MODE: mode,
    ...extra,
  };
  const backup = await backUp(world, environment, runProgram).finally(transfers.stop);
  const waited = transfers.longestWaitSeconds();
  if (waited > LONGEST_WAIT_SECONDS) throw new Error(`a writer waited ${Math.round(waited)} s`);
  const { lockedPausedSeconds } = backup.manifest.staging;
  if (lockedPausedSeconds > 0)
    throw new Error(`mydumper was paused for ${lockedPausedSeconds} s while it held locks`);
  const { lock, description } = backup.manifest.consistency;
  if (lock === 'none') return `it says: consistency ${description}`;
  await dropAll(copy);
  await unpacked(world, backup, (directory) => loadAsSql(copy, directory, backup.manifest));
  const sum = await sumIn(copy);
  if (sum !== 2 * ACCOUNTS * BALANCE)
    throw new Error(
      `it claims ${lock} (${description}), and ${2 * ACCOUNTS * BALANCE - sum} of the money ` +
        'is missing',
    );
  return mode === 'auto' ? `with ${lock}` : '';
}

function lockRow(mode: LockMode): Row {
  return {
    id: `lock-${mode}`,
    part: 'backup',
    promise:
      `\`LOCK_MODE=${mode}\` under concurrent writes: one point in time, ` +
      'or the run reports that it is none',
    run: async (pair) => {
      await bank(pair);
      try {
        return (await underWriters(pair, mode)) || undefined;
      } catch (error) {
        // mydumper itself refuses, during the dump.
        if (error instanceof Error && error.message.includes('due to the use of SAFE_NO_LOCK'))
          return error.message;
        throw error;
      }
    },
  };
}

export const writerRows: readonly Row[] = [
  ...(['auto', 'ftwrl', 'lock-all', 'safe-no-lock', 'none'] as const).map(lockRow),
  {
    id: 'lock-mixed-engines',
    part: 'backup',
    promise:
      'A table without transactions under concurrent writes: ' +
      'the other tables at one point in time, and writers continue',
    run: async (pair) => {
      await bank(pair);
      await pair.db.query('CREATE TABLE bank.old (id int PRIMARY KEY, t text) ENGINE=MyISAM');
      try {
        await pair.db.query(
          'INSERT INTO bank.old ' +
            `SELECT seq, REPEAT(SHA2(seq, 224), 20) FROM ${rowNumbers(pair.db, 8000)}`,
        );
        pair.world.s3.setBandwidth(8e6);
        return await underWriters(pair, 'auto', {
          COMPRESS: 'none',
          STAGING_LIMIT_MB: '24',
          SOURCE: 'locks-mixed',
        });
      } finally {
        await pair.db.query('DROP TABLE bank.old');
      }
    },
  },
];
