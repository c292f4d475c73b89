import type { ServerConfig } from '../config.ts';
import { type Database, openDatabase } from '../database/connection.ts';
import { openAgain } from './reconnect.ts';

/**
 * A connection that is opened again when it was lost while nothing was asked of it: a restore's own
 * connection is idle while rows are loaded. Its session has the defaults of `openDatabase` then. A
 * loss during a statement is that statement's error.
 */
export async function openLasting(server: ServerConfig, signal: AbortSignal): Promise<Database> {
  const open = async (opening: Promise<Database>) => {
    const database = await opening;
    const connection = { database, isLost: false };
    database.onLost(() => {
      connection.isLost = true;
    });
    return connection;
  };
  let current = await open(openDatabase(server));
  const reopen = async () => {
    await current.database.close();
    current = await open(openAgain(() => openDatabase(server), signal));
  };
  /** Statements that come at the same time share one attempt. */
  let reopening: Promise<void> | undefined;
  const alive = async (): Promise<Database> => {
    if (current.isLost) {
      reopening ??= reopen().finally(() => {
        reopening = undefined;
      });
      await reopening;
    }
    return current.database;
  };
  return {
    get id() {
      return current.database.id;
    },
    behindProxy: current.database.behindProxy,
    transport: current.database.transport,
    query: async (sql, values) => (await alive()).query(sql, values),
    longQuery: async (sql, values) => (await alive()).longQuery(sql, values),
    send: async (slices) => (await alive()).send(slices),
    longSend: async (slices) => (await alive()).longSend(slices),
    onLost: () => {},
    close: () => current.database.close(),
  };
}
