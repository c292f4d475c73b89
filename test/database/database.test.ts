import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { ServerConfig } from '../../app/config.ts';
import { type Database, openDatabase } from '../../app/database/connection.ts';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { failureOf } from '../support/s3/test-store.ts';

const WAIT = { timeout: 30_000, interval: 5 };
const WRONG = 'wrong-Passwort-4711';
let db: MariaDb;

beforeAll(async () => {
  // MariaDB 11.4 and later make a certificate of their own unless TLS is switched off.
  db = await startMariaDb({ config: ['skip-ssl'] });
});
afterAll(() => db?.stop());
afterEach(() => db.query('SET GLOBAL sql_mode = DEFAULT'));

const server = (changed: Partial<ServerConfig> = {}) => serverAddress(db, changed);

async function open(changed: Partial<ServerConfig> = {}): Promise<Database> {
  const database = await openDatabase(server(changed));
  onTestFinished(() => database.close());
  return database;
}

test.each(['TCP', 'socket'])('a server is reached by %s with any password', async (way) => {
  const database = await open(way === 'socket' ? { socket: db.socket, port: 1 } : {});
  const [row] = await database.query(
    "SELECT 'ä🐬' AS text, 1 AS number, NULL AS nothing, '2026-01-02' AS date",
  );
  expect(row).toEqual({ text: 'ä🐬', number: 1, nothing: null, date: '2026-01-02' });
});

/** Each way a connection can fail: the configuration, and the reported reason. */
const REFUSALS: readonly (readonly [string, () => Partial<ServerConfig>, RegExp])[] = [
  [
    'a wrong password',
    () => ({ password: WRONG }),
    /127\.0\.0\.1:\d+ as root: Access denied for user/,
  ],
  [
    'an unknown user',
    () => ({ user: 'nobody', password: WRONG }),
    /as nobody: Access denied for user/,
  ],
  [
    'a missing socket',
    () => ({ socket: join(db.dir, 'none.sock') }),
    /none\.sock as root: there is no such socket; check SOCKET/,
  ],
  [
    'a server without TLS where it is required',
    () => ({ tls: { mode: 'required', caFile: undefined } }),
    /secure connection|SSL|TLS/i,
  ],
];

test.each(REFUSALS)(
  '%s is reported in one line, without the password',
  async (_what, changed, message) => {
    const failure = await failureOf(openDatabase(server(changed())));
    expect(failure.kind).toBe('preflight');
    expect(failure.lines).toEqual([expect.stringMatching(message)]);
    expect(failure.message).toMatch(/^cannot connect to MySQL at /);
    expect(failure.message).not.toContain('\n');
    for (const secret of [WRONG, db.password]) expect(failure.message).not.toContain(secret);
  },
);

test('no server at the port is reported in one line, without the password', async () => {
  const proxy = await startCuttableProxy(db.port);
  await proxy.close();
  const failure = await failureOf(openDatabase(server({ port: proxy.port })));
  expect(failure.lines).toEqual([
    `cannot connect to MySQL at 127.0.0.1:${proxy.port} as root: connection refused; ` +
      'check HOST and PORT, and that the server is running',
  ]);
});

const MODES = ['', 'NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', 'ORACLE'];

test.each(MODES)('values are bound safely under a server with sql_mode "%s"', async (mode) => {
  await db.query('SET GLOBAL sql_mode = ?', [mode]);
  const database = await open();
  const echo = async (value: string) => {
    const [row] = await database.query('SELECT ? AS value, ? AS after', [value, 'intact']);
    expect(row).toEqual({ value, after: 'intact' });
  };
  for (const value of [
    "\\' OR 1=1 -- ",
    "'",
    '"',
    '\\',
    '\\\\',
    '\0\n\r\x1a',
    "\\'; DROP TABLE t; -- ",
    '`',
    '?',
  ])
    await echo(value);
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 40 }), echo), {
    numRuns: 50,
  });
});

test('numbers are bound as numbers', async () => {
  const database = await open();
  const [row] = await database.query('SELECT ? + 1 AS sum', [41]);
  expect(row).toEqual({ sum: 42 });
});

test("an error of the server is thrown as the server's", async () => {
  const database = await open();
  await expect(database.query('SELECT * FROM nowhere.nothing')).rejects.toMatchObject({
    code: expect.stringMatching(/^ER_/),
  });
  expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a lost connection is reported to its listeners, a closed one is not', async () => {
  const [lost, closed] = [await open(), await open()];
  const [onLost, onClosed] = [vi.fn(), vi.fn()];
  lost.onLost(onLost);
  closed.onLost(onClosed);
  const [row] = await lost.query('SELECT CONNECTION_ID() AS id');
  await closed.close();
  await db.query(`KILL ${Number(row?.id)}`);
  await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce(), WAIT);
  expect(onLost).toHaveBeenCalledWith(expect.any(Error));
  expect(onClosed).not.toHaveBeenCalled();
  await lost.close();
});
