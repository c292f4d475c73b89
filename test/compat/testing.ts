import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { startWorld, type World } from '../e2e/world.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverProgram } from '../support/mariadb/server-program.ts';
import { runProgram } from '../support/program.ts';
import { type Cell, currentCell } from './cell.ts';
import { type CellRecord, readRecord } from './record.ts';
import { type Outcome, outcomeOf, type Row } from './row.ts';
import { reasonOf } from './runs.ts';
import { makeTls, type Tls } from './tls.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** One row's outcome; the reporter of `npm run compat` writes it to the cell's file. */
    compat?: { readonly cell: Cell; readonly id: string; readonly outcome: Outcome };
  }
}

/** The server to back up has a binary log, as in production. */
const WITH_BINLOG = ['log-bin=binlog', 'server-id=1', 'log_bin_trust_function_creators=ON'];

/**
 * The reason why mydumper cannot log in; undefined where it can. MySQL 9's client library no longer
 * has the login method of MariaDB's accounts. Every row then has this result.
 */
async function whyNoLogin(db: MariaDb, world: World): Promise<string | undefined> {
  await db.query('CREATE DATABASE login');
  try {
    const ended = await runProgram(world.environment({ SOURCE: 'login', DATABASES: 'login' }));
    const reason = reasonOf(ended);
    return ended.code === 3 && / cannot log in as /.test(reason) ? reason : undefined;
  } finally {
    await db.query('DROP DATABASE login');
  }
}

/** Makes a test of each row for this vendor, with a server to back up and an empty one. */
export async function testRows(rows: readonly Row[]): Promise<void> {
  const { vendor } = await serverProgram();
  let db: MariaDb;
  let copy: MariaDb;
  let world: World;
  let tls: Tls;
  let cell: Cell;
  let known: CellRecord | undefined;
  let noLogin: string | undefined;

  beforeAll(async () => {
    cell = await currentCell();
    known = readRecord(cell);
    tls = await makeTls();
    db = await startMariaDb({ config: [...WITH_BINLOG, ...tls.config] });
    copy = await startMariaDb();
    world = await startWorld({ db });
    noLogin = await whyNoLogin(db, world);
  });
  afterEach(() => world?.s3.setBandwidth(undefined));
  afterAll(async () => {
    await world?.stop();
    await copy?.stop();
    await db?.stop();
    tls?.remove();
  });

  const own = rows.filter(({ only }) => only === undefined || only === vendor);
  test.for(own)('$id: $promise', async (row, { task }) => {
    const outcome: Outcome =
      noLogin === undefined
        ? await outcomeOf(row, { db, copy, world, tls })
        : { result: 'refused', note: noLogin };
    task.meta.compat = { cell, id: row.id, outcome };
    const worked = known?.rows[row.id]?.result === 'works';
    // A backup row must not fail. A load may fail where the record has that failure.
    if (outcome.result === 'fails' && (row.part === 'backup' || worked))
      throw new Error(outcome.note);
    if (outcome.result !== 'works' && worked) throw new Error(`${outcome.result}: ${outcome.note}`);
  });
}
