import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { backupOf, RESTORING } from '../../app/database/run-lock.ts';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { failureOf } from '../support/s3/test-store.ts';
import { useRunLocks, WAIT } from './run-locks.ts';

const { db, source, take, holder } = useRunLocks();

test('a second run of the source is refused, one of another source is not', async () => {
  const { warnings } = await take();
  const failure = await failureOf(take());
  expect(failure).toMatchObject({
    kind: 'preflight',
    lines: [expect.stringContaining(`source ${source()} is active`)],
  });
  expect(failure.message).toContain(`mydumper-fargate:${source()}`);
  await take(`${source()}-other`);
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
    Number((await db().query('SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST'))[0]?.n);
  const before = await count();
  await failureOf(take());
  await vi.waitFor(async () => expect(await count()).toBe(before), WAIT);
});

test('no server is a failure of the preflight', async () => {
  const proxy = await startCuttableProxy(db().port);
  await proxy.close();
  expect(await failureOf(take(source(), proxy.port))).toMatchObject({ kind: 'preflight' });
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

test('a second run takes a lock that is released while it asks for the holder', async () => {
  const { lock } = await take();
  let questions = 0;
  const proxy = await startCuttableProxy(db().port, async (bytes) => {
    if (!bytes.includes('IS_USED_LOCK')) return;
    questions += 1;
    await lock.release();
  });
  onTestFinished(() => proxy.close());
  const tls = { mode: 'disabled', caFile: undefined } as const; // the proxy reads along
  const second = await take(source(), proxy.port, { tls });
  expect(questions).toBe(1);
  expect(await holder()).not.toBeNull();
  expect(second.taken).toEqual([]);
});

test('after release a lost connection is ignored', async () => {
  const { lock, warnings, taken } = await take();
  const killed = db()
    .query(`KILL ${await holder()}`)
    .catch(() => undefined);
  await Promise.all([lock.release(), killed]);
  await vi.waitFor(async () => expect(await holder()).toBeNull(), WAIT);
  expect(taken).toEqual([]);
  expect(warnings.length).toBeLessThanOrEqual(1);
});

const sources = fc.stringMatching(/^[A-Za-z0-9!_'()*.-]{1,200}$/);

test('a lock name fits the server, and differs by source and from that of restores', () => {
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

test('a restore blocks another restore, but no backup whose source has such a name', async () => {
  const { warnings } = await take(RESTORING);
  await take('restore');
  await take('-restore');
  expect(await failureOf(take(RESTORING))).toMatchObject({
    kind: 'preflight',
    message:
      'another restore into this server is running ' +
      '(it holds the lock "mydumper-fargate-restore"); wait for it to end',
  });
  const [row] = await db().query('SELECT IS_USED_LOCK(?) AS holder', [RESTORING.name]);
  await db().query(`KILL ${row?.holder}`);
  await vi.waitFor(() => expect(warnings.length).toBe(1), WAIT);
  expect(warnings[0]).toMatch(
    /^the connection holding the lock on restores into this server was lost/,
  );
});

test('sources that differ only beyond the length of a lock name do not collide', async () => {
  const long = 'x'.repeat(199);
  await take(`${long}a`);
  await take(`${long}b`);
  expect(await failureOf(take(`${long}a`))).toMatchObject({
    message: expect.stringContaining(`${long}a`),
  });
});
