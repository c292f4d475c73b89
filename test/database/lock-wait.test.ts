import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase, type Row } from '../../app/database/connection.ts';
import { createLockWaitMeter, type LockWait, watchLockWait } from '../../app/database/lock-wait.ts';
import { startBalancer } from '../support/balancer.ts';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { rowNumbers } from '../support/mariadb/sql.ts';
import { holdMark, openMarked } from './marked.ts';

const WAIT = { timeout: 30_000, interval: 5 };
let db: MariaDb;

beforeAll(async () => {
  db = await startMariaDb();
  await db.query('CREATE DATABASE shop');
  for (const table of ['slow', 'other'])
    await db.query(`CREATE TABLE shop.${table} (id int PRIMARY KEY, n int)`);
  await db.query(`INSERT INTO shop.slow SELECT seq, 0 FROM ${rowNumbers(db, 100)}`);
});
afterAll(() => db?.stop());

const row = (id: number, state: string, info: string, of: Partial<Row> = {}): Row => ({
  Id: id,
  User: 'backup',
  Command: 'Query',
  Time: 0,
  State: state,
  Info: info,
  ...of,
});
/** Session 8 is mydumper's. */
const processes = (...all: readonly Row[]) => ({ all, dumping: new Set([8]) });
const FLUSH = 'FLUSH TABLES WITH READ LOCK';

const sessionsIn = (state: string) =>
  db.query('SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE ?', [state]);

test.each([
  FLUSH,
  'flush  tables with read lock',
  'FLUSH /*!40101 LOCAL */ TABLES',
  'FLUSH NO_WRITE_TO_BINLOG TABLES',
  'LOCK TABLES `shop`.`orders` READ',
  'LOCK INSTANCE FOR BACKUP',
  'BACKUP STAGE BLOCK_COMMIT',
])('a wait with %s is timed from when it was first seen', (statement) => {
  const meter = createLockWaitMeter();
  const waiting = processes(row(8, 'Waiting for backup lock', statement));
  expect(meter(waiting, 100)?.seconds).toBe(0);
  expect(meter(waiting, 104.5)).toMatchObject({ id: 8, seconds: 4.5 });
  expect(meter(processes(), 105)).toBeUndefined();
  expect(meter(waiting, 106)?.seconds).toBe(0);
});

test.each<[string, Row]>([
  ['that is not mydumper’s', row(7, 'Waiting for backup lock', FLUSH)],
  ['that has its lock', row(8, 'starting', FLUSH)],
  ['that is no lock', row(8, 'Waiting for table metadata lock', 'SELECT * FROM `FLUSH TABLES`')],
  ['without a statement', row(8, '', '', { Command: 'Sleep', Info: null, State: null })],
])('a connection %s is not timed', (_name, process) => {
  expect(createLockWaitMeter()(processes(process), 100)).toBeUndefined();
});

test('a wait names the connection it waits for, without its statement', () => {
  const wait = createLockWaitMeter()(
    processes(
      row(8, 'Waiting for backup lock', FLUSH, { Time: 40 }),
      row(3, 'updating', "UPDATE people SET secret = 'x'", { User: 'app', Time: 31 }),
      row(4, 'updating', 'UPDATE t SET a = 1', { User: 'app', Time: 2 }),
    ),
    100,
  );
  expect(wait?.behind).toBe('connection 3 of "app", whose statement has run for 31 s');
});

test.each([
  ['', false],
  [', through a proxy with its own connection numbers', true],
])(
  'a lock wait behind a long statement is ended, and writers continue while it still runs%s',
  async (_how, ownNumbers) => {
    const slow = await db.connect();
    const reported: LockWait[] = [];
    const mark = await holdMark(db);
    const proxy = await startBalancer([db.port], { ownNumbers });
    onTestFinished(proxy.close);
    const server = serverAddress(db, { port: proxy.port });
    const watch = await watchLockWait(server, mark, (wait) => reported.push(wait), 1);
    const flusher = await openMarked(db, mark);
    const writer = await db.connect();
    const long = slow.query('UPDATE shop.slow SET n = SLEEP(0.2)').catch(() => {}); // killed below
    await vi.waitFor(async () => expect(await sessionsIn('User sleep')).toHaveLength(1), WAIT);
    const lock = flusher.query(FLUSH).then(
      () => 'taken',
      (error: { code?: string }) => error.code,
    );
    await vi.waitFor(async () => expect(await sessionsIn('Waiting for %')).toHaveLength(1), WAIT);
    await writer.query('REPLACE INTO shop.other VALUES (1, 1)');
    expect(await sessionsIn('User sleep')).toHaveLength(1);
    expect(await lock).not.toBe('taken');
    expect(reported).toEqual([expect.objectContaining({ id: flusher.threadId })]);
    await db.query(`KILL ${slow.threadId}`);
    await long;
    await watch.end();
  },
);

test('a wait that outlives mydumper is ended when the watch ends', async () => {
  const mark = await holdMark(db);
  const watch = await watchLockWait(serverAddress(db), mark, () => {});
  const slow = await db.connect();
  const flusher = await openMarked(db, mark);
  const long = slow.query('UPDATE shop.slow SET n = SLEEP(0.2)').catch(() => {});
  await vi.waitFor(async () => expect(await sessionsIn('User sleep')).toHaveLength(1), WAIT);
  const lock = flusher.query(FLUSH).then(
    () => 'taken',
    () => 'refused',
  );
  await vi.waitFor(async () => expect(await sessionsIn('Waiting for %')).toHaveLength(1), WAIT);
  await watch.end();
  expect(await lock).toBe('refused');
  await db.query(`KILL ${slow.threadId}`);
  await long;
});

test('the watch and our own connections end when the server is out of reach', async () => {
  const proxy = await startCuttableProxy(db.port);
  onTestFinished(proxy.close);
  const server = serverAddress(db, { port: proxy.port });
  const connection = await openDatabase(server);
  const mark = await holdMark(db);
  const watch = await watchLockWait(server, mark, () => expect.unreachable('nothing waits'));
  proxy.stall();
  connection.query('DO 1').catch(() => {}); // never answered
  await Promise.all([watch.end(), connection.close()]);
});
