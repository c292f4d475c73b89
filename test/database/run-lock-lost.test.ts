import { expect, onTestFinished, test, vi } from 'vitest';
import { backupOf } from '../../app/database/run-lock.ts';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { failureOf } from '../support/s3/test-store.ts';
import { useRunLocks, WAIT } from './run-locks.ts';

const { db, source, take, holder } = useRunLocks();

test('when the connection is killed the lock is taken again, with a warning', async () => {
  const { lock, warnings, taken } = await take();
  const first = await holder();
  await db().query(`KILL ${first}`);
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
    await db().query(`KILL ${lost}`);
    await vi.waitFor(async () => {
      expect(warnings.length).toBe(times);
      expect([null, lost]).not.toContain(await holder());
    }, WAIT);
  }
  expect(taken).toEqual([]);
});

test('the first run is notified when another run takes its lost lock', async () => {
  const { warnings, taken } = await take();
  const other = await db().connect();
  const waiting = other.query('SELECT GET_LOCK(?, 60) AS taken', [backupOf(source()).name]);
  await vi.waitFor(async () => {
    const rows = await db().query(
      "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE '%user lock%'",
    );
    expect(rows.length).toBe(1);
  }, WAIT);
  await db().query(`KILL ${await holder()}`);
  await waiting;
  await vi.waitFor(() => expect(taken.length).toBe(1), WAIT);
  expect(taken).toMatchObject([
    { kind: 'preflight', message: expect.stringContaining('another run') },
  ]);
  expect(warnings.length).toBe(1);
  await other.end();
});

test('without a server both the loss and the failed attempt are warnings', async () => {
  const proxy = await startCuttableProxy(db().port);
  onTestFinished(() => proxy.close());
  const { warnings, taken } = await take(source(), proxy.port);
  await proxy.refuse();
  await vi.waitFor(() => expect(warnings.length).toBe(2), WAIT);
  expect(warnings).toEqual([
    expect.stringContaining('taking it again'),
    expect.stringMatching(/could not be taken again: cannot connect/),
  ]);
  expect(warnings.join()).not.toContain(db().password);
  expect(taken).toEqual([]);
});

test('our own broken connection is not mistaken for another run', async () => {
  const proxy = await startCuttableProxy(db().port);
  onTestFinished(() => proxy.close());
  const { warnings, taken } = await take(source(), proxy.port);
  const first = await holder();
  proxy.cutClients();
  await vi.waitFor(async () => {
    expect(warnings.length).toBeGreaterThan(0);
    expect(taken.length > 0 || (await holder()) !== first).toBe(true);
  }, WAIT);
  expect(taken).toEqual([]);
});

const IMPATIENT = { keepAliveMilliseconds: 200, answerSeconds: 1 };

test('the lock is taken again after a gateway silently forgot the connection', async () => {
  const proxy = await startCuttableProxy(db().port);
  onTestFinished(() => proxy.close());
  const { warnings, taken } = await take(source(), proxy.port, IMPATIENT);
  const first = await holder();
  proxy.forget();
  await vi.waitFor(async () => expect([null, first]).not.toContain(await holder()), WAIT);
  expect(warnings).toEqual([
    expect.stringMatching(/was lost \(the MySQL server has not answered for 1 s .*taking it again/),
  ]);
  expect(taken).toEqual([]);
  expect(await failureOf(take())).toMatchObject({ kind: 'preflight' });
});

test('the run asks a stalled server again until it answers, and then takes the lock', async () => {
  const proxy = await startCuttableProxy(db().port);
  onTestFinished(() => proxy.close());
  const { warnings, taken } = await take(source(), proxy.port, IMPATIENT);
  const first = await holder();
  proxy.stall();
  const vain = () =>
    warnings.filter((text) => /could not be taken again: cannot connect/.test(text));
  await vi.waitFor(() => expect(vain().length).toBeGreaterThan(1), WAIT);
  proxy.unstall();
  await vi.waitFor(async () => expect([null, first]).not.toContain(await holder()), WAIT);
  expect(taken).toEqual([]);
});

test('the first run is notified if another run has the lock when the server returns', async () => {
  const proxy = await startCuttableProxy(db().port);
  onTestFinished(() => proxy.close());
  const { taken } = await take(source(), proxy.port, IMPATIENT);
  proxy.stall();
  await db().query(`KILL ${await holder()}`);
  await vi.waitFor(async () => expect(await holder()).toBeNull(), WAIT);
  const second = await take();
  proxy.unstall();
  await vi.waitFor(() => expect(taken.length).toBeGreaterThan(0), WAIT);
  expect(taken[0]).toMatchObject({
    kind: 'preflight',
    message: expect.stringContaining('another run'),
  });
  expect(second.taken).toEqual([]);
});
