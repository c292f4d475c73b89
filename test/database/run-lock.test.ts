import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { ServerConfig } from '../../app/config.ts';
import {
  backupOf,
  type Exclusive,
  RESTORING,
  type RunLock,
  takeRunLock,
} from '../../app/database/run-lock.ts';
import type { Failure } from '../../app/errors.ts';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { failureOf } from '../support/s3/test-store.ts';

const WAIT = { timeout: 30_000, interval: 5 };
let db: MariaDb;
/** A source of the running test's own: the server takes its time to free what a broken connection held. */
let source = 'db0';

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db?.stop());
beforeEach(() => {
  source = `db${Number(source.slice(2)) + 1}`;
});

function serverAt(port: number): ServerConfig {
  const { host, user, password } = db;
  return {
    host,
    port,
    socket: undefined,
    queryTimeoutSeconds: 60,
    user,
    password,
    tls: { mode: undefined, caFile: undefined },
  };
}

/** Takes the lock of the running test, released when it ends. */
async function take(
  exclusive: string | Exclusive = source,
  port = db.port,
  patience: { keepAliveMilliseconds?: number; answerSeconds?: number } = {},
) {
  const warnings: string[] = [];
  const taken: Failure[] = [];
  const lock: RunLock = await takeRunLock(
    serverAt(port),
    typeof exclusive === 'string' ? backupOf(exclusive) : exclusive,
    (message) => warnings.push(message),
    (failure) => taken.push(failure),
    patience,
  );
  onTestFinished(() => lock.release());
  return { lock, warnings, taken };
}

/** Id of the connection that holds the lock; null when nobody does. */
async function holder(): Promise<number | null> {
  const [row] = await db.query('SELECT IS_USED_LOCK(?) AS holder', [backupOf(source).name]);
  return row?.holder === null ? null : Number(row?.holder);
}

test('a second run of the source is refused, one of another source is not', async () => {
  const { warnings } = await take();
  const failure = await failureOf(take());
  expect(failure).toMatchObject({
    kind: 'preflight',
    lines: [expect.stringContaining(`source ${source} is active`)],
  });
  expect(failure.message).toContain(`mydumper-fargate:${source}`);
  await take(`${source}-other`);
  expect(warnings).toEqual([]);
});

test('a released lock may be taken again, and releasing twice does no harm', async () => {
  const { lock } = await take();
  await lock.release();
  expect(await holder()).toBeNull();
  const second = await take();
  await lock.release();
  expect(await holder()).not.toBeNull();
  await second.lock.release();
});

test('a refused run leaves no connection behind', async () => {
  await take();
  const count = async () =>
    Number((await db.query('SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST'))[0]?.n);
  const before = await count();
  await failureOf(take());
  await vi.waitFor(async () => expect(await count()).toBe(before), WAIT);
});

test('no server is a failure of the preflight', async () => {
  const proxy = await startCuttableProxy(db.port);
  await proxy.close();
  expect(await failureOf(take(source, proxy.port))).toMatchObject({ kind: 'preflight' });
});

test('when the connection is killed the lock is taken again, with a warning', async () => {
  const { lock, warnings, taken } = await take();
  const first = await holder();
  await db.query(`KILL ${first}`);
  await vi.waitFor(async () => {
    expect([null, first]).not.toContain(await holder());
  }, WAIT);
  expect(warnings).toEqual([expect.stringMatching(/source db\d+ was lost.*taking it again/)]);
  expect(taken).toEqual([]);
  expect(await failureOf(take())).toMatchObject({ kind: 'preflight' });
  await lock.release();
  await vi.waitFor(async () => expect(await holder()).toBeNull(), WAIT);
});

test('it is taken again as often as it is lost', async () => {
  const { warnings, taken } = await take();
  for (let times = 1; times <= 3; times += 1) {
    const lost = await holder();
    await db.query(`KILL ${lost}`);
    await vi.waitFor(async () => {
      expect(warnings.length).toBe(times);
      expect([null, lost]).not.toContain(await holder());
    }, WAIT);
  }
  expect(taken).toEqual([]);
});

test('when another run gets it first, the first one is told', async () => {
  const { warnings, taken } = await take();
  const other = await db.connect();
  const waiting = other.query('SELECT GET_LOCK(?, 60) AS taken', [backupOf(source).name]);
  await vi.waitFor(async () => {
    const rows = await db.query(
      "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE '%user lock%'",
    );
    expect(rows.length).toBe(1);
  }, WAIT);
  await db.query(`KILL ${await holder()}`);
  await waiting;
  await vi.waitFor(() => expect(taken.length).toBe(1), WAIT);
  expect(taken).toMatchObject([{ kind: 'preflight', message: expect.stringContaining('another run') }]);
  expect(warnings.length).toBe(1);
  await other.end();
});

test('when the server is gone for the moment, both the loss and the vain attempt are warnings', async () => {
  const proxy = await startCuttableProxy(db.port);
  onTestFinished(() => proxy.close());
  const { warnings, taken } = await take(source, proxy.port);
  await proxy.refuse();
  await vi.waitFor(() => expect(warnings.length).toBe(2), WAIT);
  expect(warnings).toEqual([
    expect.stringContaining('taking it again'),
    expect.stringMatching(/could not be taken again: cannot connect/),
  ]);
  expect(warnings.join()).not.toContain(db.password);
  expect(taken).toEqual([]);
});

test('our own broken connection, which the server still believes in, is not taken for another run', async () => {
  const proxy = await startCuttableProxy(db.port);
  onTestFinished(() => proxy.close());
  const { warnings, taken } = await take(source, proxy.port);
  const first = await holder();
  proxy.cutClients();
  await vi.waitFor(async () => {
    expect(warnings.length).toBeGreaterThan(0);
    expect(taken.length > 0 || (await holder()) !== first).toBe(true);
  }, WAIT);
  expect(taken).toEqual([]);
});

const IMPATIENT = { keepAliveMilliseconds: 200, answerSeconds: 1 };

test('a connection that a gateway has forgotten, which nobody tells us, is noticed and the lock taken again', async () => {
  const proxy = await startCuttableProxy(db.port);
  onTestFinished(() => proxy.close());
  const { warnings, taken } = await take(source, proxy.port, IMPATIENT);
  const first = await holder();
  proxy.forget();
  await vi.waitFor(async () => expect([null, first]).not.toContain(await holder()), WAIT);
  expect(warnings).toEqual([
    expect.stringMatching(/was lost \(the MySQL server has not answered for 1 s .*taking it again/),
  ]);
  expect(taken).toEqual([]);
  expect(await failureOf(take())).toMatchObject({ kind: 'preflight' });
});

test('a server that answers nothing is asked again until it does, and then the lock is ours', async () => {
  const proxy = await startCuttableProxy(db.port);
  onTestFinished(() => proxy.close());
  const { warnings, taken } = await take(source, proxy.port, IMPATIENT);
  const first = await holder();
  proxy.stall();
  const vain = () => warnings.filter((text) => /could not be taken again: cannot connect/.test(text));
  await vi.waitFor(() => expect(vain().length).toBeGreaterThan(1), WAIT);
  proxy.unstall();
  await vi.waitFor(async () => expect([null, first]).not.toContain(await holder()), WAIT);
  expect(taken).toEqual([]);
});

test('when the server has come back, and another run has the lock, the first one is told', async () => {
  const proxy = await startCuttableProxy(db.port);
  onTestFinished(() => proxy.close());
  const { taken } = await take(source, proxy.port, IMPATIENT);
  proxy.stall();
  await db.query(`KILL ${await holder()}`);
  await vi.waitFor(async () => expect(await holder()).toBeNull(), WAIT);
  const second = await take();
  proxy.unstall();
  await vi.waitFor(() => expect(taken.length).toBeGreaterThan(0), WAIT);
  expect(taken[0]).toMatchObject({ kind: 'preflight', message: expect.stringContaining('another run') });
  expect(second.taken).toEqual([]);
});

test('of runs that start at once exactly one gets the lock', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => take()));
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBe(7);
  for (const outcome of refused)
    expect(outcome).toMatchObject({
      reason: { kind: 'preflight', message: expect.stringContaining('another run') },
    });
});

test('after release a lost connection is nobody’s business', async () => {
  const { lock, warnings, taken } = await take();
  const killed = db.query(`KILL ${await holder()}`).catch(() => undefined);
  await Promise.all([lock.release(), killed]);
  await vi.waitFor(async () => expect(await holder()).toBeNull(), WAIT);
  expect(taken).toEqual([]);
  expect(warnings.length).toBeLessThanOrEqual(1);
});

const sources = fc.stringMatching(/^[A-Za-z0-9!_'()*.-]{1,200}$/);

test('a lock name fits the server, and is told apart by the source and from that of restores', () => {
  const nameOf = (name: string) => backupOf(name).name;
  fc.assert(
    fc.property(sources, sources, (left, right) => {
      expect(nameOf(left).length).toBeLessThanOrEqual(64);
      expect(nameOf(left) === nameOf(right)).toBe(left === right);
      expect(nameOf(left)).toMatch(/^mydumper-fargate:/);
    }),
  );
  expect(nameOf('db1')).toBe('mydumper-fargate:db1');
  expect(nameOf('a'.repeat(47))).toBe(`mydumper-fargate:${'a'.repeat(47)}`);
  expect(RESTORING.name).not.toMatch(/^mydumper-fargate:/);
  expect(RESTORING.name.length).toBeLessThanOrEqual(64);
});

test('a restore keeps away another one, and no backup whose source is called so', async () => {
  const { warnings } = await take(RESTORING);
  await take('restore');
  await take('-restore');
  expect(await failureOf(take(RESTORING))).toMatchObject({
    kind: 'preflight',
    message:
      'another restore into this server is running (it holds the lock "mydumper-fargate-restore"); wait for it to end',
  });
  const [row] = await db.query('SELECT IS_USED_LOCK(?) AS holder', [RESTORING.name]);
  await db.query(`KILL ${row?.holder}`);
  await vi.waitFor(() => expect(warnings.length).toBe(1), WAIT);
  expect(warnings[0]).toMatch(/^the connection holding the lock on restores into this server was lost/);
});

test('sources that differ only after what fits a lock name do not get into each other’s way', async () => {
  const long = 'x'.repeat(199);
  await take(`${long}a`);
  await take(`${long}b`);
  expect(await failureOf(take(`${long}a`))).toMatchObject({ message: expect.stringContaining(`${long}a`) });
});
