import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { ServerConfig } from '../../app/config.ts';
import { openDatabase } from '../../app/database/connection.ts';
import { backupOf, takeRunLock } from '../../app/database/run-lock.ts';
import { askForWork, workAmong } from '../../app/database/work.ts';
import { startBalancer } from '../support/balancer.ts';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
  await db.query('CREATE DATABASE shop');
  await db.query('CREATE TABLE shop.orders (id int PRIMARY KEY, note text) ENGINE=InnoDB');
});
afterAll(() => db?.stop());

const server = (port = db.port): ServerConfig => ({
  host: db.host,
  port,
  socket: undefined,
  user: db.user,
  password: db.password,
  queryTimeoutSeconds: 1,
  tls: { mode: undefined, caFile: undefined },
});

test.each([
  ['', false],
  [', through a proxy with its own connection numbers', true],
])(
  'a statement that takes too long is ended here and in the server, naming the variable%s',
  async (_how, ownNumbers) => {
    const proxy = await startBalancer([db.port], { ownNumbers });
    onTestFinished(proxy.close);
    const database = await openDatabase(server(proxy.port));
    await expect(database.query('SELECT SLEEP(300) AS slept')).rejects.toMatchObject({
      code: 'QUERY_TIMEOUT',
      message:
        'the MySQL server has not answered for 1 s (QUERY_TIMEOUT_SECONDS=1) ' +
        'to "SELECT SLEEP(300) AS slept"',
    });
    await expect(database.query('DO 1')).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' });
    await database.close();
    await vi.waitFor(async () => {
      expect(
        await db.query(
          `SELECT ID FROM information_schema.PROCESSLIST
           WHERE INFO LIKE '%SLEEP(300)%' AND INFO NOT LIKE '%PROCESSLIST%'`,
        ),
      ).toEqual([]);
    });
  },
);

test('a statement whose duration grows with the rows may take longer', async () => {
  const database = await openDatabase(server());
  onTestFinished(() => database.close());
  expect(await database.longQuery('SELECT SLEEP(1.5) AS slept')).toEqual([{ slept: 0 }]);
});

test('a server that is unreachable during a statement fails it by the timeout', async () => {
  const proxy = await startCuttableProxy(db.port);
  onTestFinished(proxy.close);
  const database = await openDatabase(server(proxy.port));
  proxy.stall();
  await expect(database.query('DO 1')).rejects.toThrow(/QUERY_TIMEOUT_SECONDS=1/);
  await database.close();
});

test('a server that accepts connections and stays silent is reported as no answer', async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(openDatabase(server(port))).rejects.toThrow(/no answer; check HOST, PORT/);
  await expect(
    takeRunLock(
      server(port),
      backupOf('shop'),
      () => {},
      () => {},
    ),
  ).rejects.toThrow(/no answer/);
  expect(await askForWork(server(port))).toMatchObject({
    busy: false,
    what: expect.stringMatching(/no answer/),
  });
});

test('the server’s own work is distinguished from rows that the client does not read', async () => {
  expect(await askForWork(server())).toEqual({
    busy: false,
    what: 'the MySQL server does nothing for it',
  });
  const connection = await db.connect();
  const sleeping = connection.query('SELECT SLEEP(300)').catch(() => {});
  try {
    await vi.waitFor(async () => {
      expect(await askForWork(server())).toMatchObject({
        busy: true,
        what: expect.stringMatching(/works for connection \d+/),
      });
    });
  } finally {
    await db.query(`KILL ${connection.threadId}`);
    await sleeping;
  }
  const row = { Id: 7, User: 'root', Command: 'Query', State: 'Writing to net', Time: 90 };
  expect(workAmong([row], 'root', 1).busy).toBe(false);
  expect(workAmong([{ ...row, State: 'Waiting for table metadata lock' }], 'root', 1).busy).toBe(
    true,
  );
  expect(workAmong([{ ...row, State: 'Sending data' }], 'other', 1).busy).toBe(false);
  expect(workAmong([{ ...row, State: 'Sending data' }], 'root', 7).busy).toBe(false);
});
