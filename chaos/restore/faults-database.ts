import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { within } from '../../app/within.ts';
import { quoteName } from '../../test/support/mariadb/sql.ts';
import { connectionsOf, openTables } from './observe.ts';
import { LAB_DATABASE, type RestoreScene, type RestoreStrike } from './scene.ts';

const SEARCH_MILLISECONDS = 1500;
const STATEMENT_MILLISECONDS = 8000;
const BETWEEN_ROUNDS_MILLISECONDS = 150;

/** Looks for a connection for a moment, since there may be none yet. */
async function search({ db, isOver }: RestoreScene, condition: string): Promise<number[]> {
  const deadline = performance.now() + SEARCH_MILLISECONDS;
  for (;;) {
    const ids = await connectionsOf(db, condition);
    if (ids.length > 0 || isOver() || performance.now() > deadline) return ids;
    await sleep(10);
  }
}

/** It may have ended by itself before. */
async function kill({ db }: RestoreScene, what: string, ids: readonly number[]): Promise<boolean> {
  let killed = false;
  for (const id of ids) {
    const met = await db.query(`KILL ${what} ${id}`).then(
      () => true,
      () => false,
    );
    killed ||= met;
  }
  return killed;
}

/** Works on a separate connection without waiting, since other sessions may hold locks. */
async function beside(
  scene: RestoreScene,
  work: (connection: Connection) => Promise<boolean>,
): Promise<() => boolean> {
  const connection = await scene.db.connect();
  let met = false;
  const done = work(connection)
    .then((has) => {
      met ||= has;
    })
    .catch(() => {}) // the server may be killed meanwhile
    .finally(() => connection.destroy());
  scene.onEnd(() => within(STATEMENT_MILLISECONDS, done));
  return () => met;
}

export const RESTORE_DATABASE_STRIKES = {
  'db-kill-one': async ({ pick }, scene) => {
    const ids = await search(scene, '1');
    const id = ids[pick % Math.max(1, ids.length)];
    return id !== undefined && kill(scene, 'CONNECTION', [id]);
  },
  'db-kill-all': async ({ times }, scene) => {
    let killed = false;
    for (let round = 0; round < times && !scene.isOver(); round += 1) {
      if (round > 0) await sleep(BETWEEN_ROUNDS_MILLISECONDS);
      killed = (await kill(scene, 'CONNECTION', await search(scene, '1'))) || killed;
    }
    return killed;
  },
  'db-kill-query': async ({ times }, scene) => {
    let killed = false;
    for (let round = 0; round < times && !scene.isOver(); round += 1)
      killed = (await kill(scene, 'QUERY', await search(scene, "COMMAND = 'Query'"))) || killed;
    return killed;
  },
  'db-crash': async ({ milliseconds }, { db }) => {
    await db.kill();
    await sleep(milliseconds);
    await db.restart();
    return true;
  },
  'db-restart': async (_fault, { db }) => {
    await db.restart();
    return true;
  },
  'db-lock-table': async ({ milliseconds, pick }, scene) => {
    const tables = await openTables(scene.db, scene.backup);
    const table = tables[pick % Math.max(1, tables.length)];
    if (table === undefined) return false;
    return beside(scene, async (connection) => {
      await connection.query(`LOCK TABLES ${quoteName(table.database, table.name)} WRITE`);
      await sleep(milliseconds, undefined, { signal: scene.over }).catch(() => {});
      return true;
    });
  },
  'db-deadlock': async ({ milliseconds }, scene) => {
    const { tables } = scene.plan.shape;
    const open = await openTables(scene.db, scene.backup);
    const table = tables.find(
      ({ database, name, key, engine, rowBytes, rows }) =>
        key !== 'none' &&
        engine === 'InnoDB' &&
        rowBytes !== undefined &&
        rows > 1 &&
        open.some((each) => each.database === database && each.name === name),
    );
    if (table === undefined) return false;
    const name = quoteName(table.database, table.name);
    return beside(scene, async (connection) => {
      const { query } = { query: (sql: string) => connection.query(sql) };
      const until = performance.now() + milliseconds;
      let met = false;
      await query('SET SESSION innodb_lock_wait_timeout = 5');
      while (performance.now() < until && !scene.isOver()) {
        await query('START TRANSACTION');
        // InnoDB spares the transaction that has changed such a table.
        await query(`INSERT INTO ${LAB_DATABASE}.heavy VALUES (1)`);
        // A row that the restore inserts later, and then rows that it has inserted just now.
        await query(`INSERT INTO ${name} (id) VALUES (${table.rows})`);
        met = true;
        await sleep(20);
        await query(`SELECT COUNT(*) FROM ${name} WHERE id < ${table.rows} FOR UPDATE`);
        await query('ROLLBACK');
      }
      return met;
    });
  },
} as const satisfies Record<string, RestoreStrike>;
