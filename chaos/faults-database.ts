import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { within } from '../app/within.ts';
import { quoteName } from '../test/support/mariadb/sql.ts';
import { VICTIM } from './plan.ts';
import type { Scene, Strike } from './scene.ts';

const SEARCH_MILLISECONDS = 1500;
const STATEMENT_MILLISECONDS = 20_000;
const victim = quoteName(VICTIM.database, VICTIM.name);

/**
 * Kills one connection or statement of the program or of mydumper. It waits a moment for one to
 * exist.
 */
const kill =
  (what: 'CONNECTION' | 'QUERY', condition: string): Strike =>
  async ({ pick }, scene) => {
    const { db, ownConnections, isOver } = scene;
    const deadline = performance.now() + SEARCH_MILLISECONDS;
    let id: number | undefined;
    while (id === undefined && performance.now() < deadline && !isOver()) {
      const rows = await db.query(
        'SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND USER ' +
          `= 'root' AND ${condition} ORDER BY ID`,
      );
      const ids = rows.map(({ ID }) => Number(ID)).filter((found) => !ownConnections.has(found));
      id = ids[pick % Math.max(1, ids.length)];
    }
    if (id === undefined) return false;
    return db.query(`KILL ${what} ${id}`).then(
      () => true,
      () => false, // it was quicker
    );
  };

/**
 * Runs statements on a separate connection without waiting, since they may wait for locks of other
 * sessions.
 */
async function beside(
  scene: Scene,
  work: (connection: Connection) => Promise<unknown>,
): Promise<boolean> {
  const connection = await scene.db.connect();
  scene.ownConnections.add(Number(connection.threadId));
  const done = work(connection)
    .catch(() => {}) // the server may be killed meanwhile
    .finally(() => connection.destroy());
  scene.onEnd(() => within(STATEMENT_MILLISECONDS, done));
  return true;
}

export const DATABASE_STRIKES = {
  'db-kill-connection': kill('CONNECTION', '1'),
  'db-kill-query': kill('QUERY', "COMMAND = 'Query' AND INFO LIKE 'SELECT /*%'"),
  'db-kill': async (_fault, { db }) => {
    await db.kill();
    return true;
  },
  'db-restart': async (_fault, { db }) => {
    await db.kill();
    await db.restart();
    return true;
  },
  'db-drop-table': (_fault, scene) =>
    beside(scene, (connection) => connection.query(`DROP TABLE ${victim}`)),
  'db-alter-table': (_fault, scene) =>
    beside(scene, (connection) =>
      connection.query(`ALTER TABLE ${victim} ADD COLUMN added int DEFAULT 7`),
    ),
  'db-lock-table': ({ milliseconds }, scene) =>
    beside(scene, async (connection) => {
      await connection.query('LOCK TABLES shop.small WRITE');
      await sleep(milliseconds, undefined, { signal: scene.over }).catch(() => {});
    }),
} as const satisfies Record<string, Strike>;
