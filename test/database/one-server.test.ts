import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase } from '../../app/database/connection.ts';
import {
  mayBeSame,
  readIdentity,
  requireOneServer,
  type ServerIdentity,
  severalAmong,
} from '../../app/database/one-server.ts';
import { backupOf, takeRunLock } from '../../app/database/run-lock.ts';
import { newRunMark, openOnMarked, readProcesses } from '../../app/database/run-mark.ts';
import type { Failure } from '../../app/errors.ts';
import { startBalancer } from '../support/balancer.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { failureOf } from '../support/s3/test-store.ts';
import { holdMark, openMarked } from './marked.ts';
import { WAIT } from './run-locks.ts';

let nodes: [MariaDb, MariaDb];
beforeAll(async () => {
  nodes = [await startMariaDb(), await startMariaDb()];
  await nodes[0].query('CREATE DATABASE shop');
  await nodes[0].query('CREATE TABLE shop.orders (id int PRIMARY KEY)');
});
afterAll(async () => {
  for (const node of nodes ?? []) await node.stop();
});

/** Puts the given servers behind one name. */
async function oneName(servers: readonly MariaDb[], ownNumbers = false) {
  const ports = servers.map(({ port }) => port);
  const balancer = await startBalancer(ports, { ownNumbers });
  onTestFinished(balancer.close);
  return { balancer, server: serverAddress(nodes[0], { port: balancer.port }) };
}

async function open(server: ReturnType<typeof serverAddress>) {
  const database = await openDatabase(server);
  onTestFinished(database.close);
  return database;
}

const identity: ServerIdentity = { name: 'db:3306 (server_id 1)', uuid: 'u', startedAt: 1000 };
const look = { identity, selectedName: identity.name, sees: true };
const other = { ...identity, name: 'db2:3306 (server_id 2)' };

test.each([
  ['one server', [look, look], undefined],
  [
    'servers of different names',
    [look, { ...look, identity: other, selectedName: other.name }],
    '2 connections reached different servers: db:3306 (server_id 1) and db2:3306 (server_id 2)',
  ],
  [
    'servers of one name',
    [look, { ...look, sees: false }],
    '2 connections reached different servers that all call themselves db:3306 (server_id 1)',
  ],
  [
    'servers of one name with different UUIDs',
    [look, { ...look, identity: { ...identity, uuid: 'v' } }],
    '2 connections reached different servers that all call themselves db:3306 (server_id 1)',
  ],
  [
    'a proxy that splits reads from writes',
    [{ ...look, selectedName: other.name, sees: false }],
    'a proxy sends statements of one connection to different servers, ' +
      'db2:3306 (server_id 2) and db:3306 (server_id 1)',
  ],
])('connections that reach %s are recognised', (_what, looks, fault) => {
  expect(severalAmong(looks)).toBe(fault);
});

test('a server is the same until its name changes or it starts again', () => {
  expect(mayBeSame(identity, { ...identity, startedAt: 1002 })).toBe(true);
  expect(mayBeSame(identity, { ...identity, startedAt: 1030 })).toBe(false);
  expect(mayBeSame(identity, { ...identity, uuid: 'v' })).toBe(false);
  expect(mayBeSame(identity, other)).toBe(false);
});

test('a user without privileges recognises that all connections reach one server', async () => {
  await nodes[0].query("CREATE USER poor@'127.0.0.1' IDENTIFIED BY 'x'");
  const server = serverAddress(nodes[0], { user: 'poor', password: 'x' });
  const database = await open(server);
  const found = await requireOneServer(server, database, 4);
  expect(found.name).toMatch(new RegExp(`^.+:${nodes[0].port} \\(server_id 1\\)$`));
  expect(mayBeSame(found, await readIdentity(database))).toBe(true);
});

test('a connection to another server than the one with the mark is refused', async () => {
  const mark = await holdMark(nodes[0]);
  const { balancer, server } = await oneName(nodes);
  balancer.pin(0);
  await (await openOnMarked(server, mark)).close();
  balancer.pin(1);
  expect(await failureOf(openOnMarked(server, mark))).toMatchObject({
    kind: 'preflight',
    message: expect.stringMatching(
      new RegExp(
        '^HOST="127.0.0.1" PORT=\\d+: a connection reached another server than the backup began ' +
          'with; .* set HOST and PORT',
      ),
    ),
  });
});

test('a server without the mark refuses a session of mydumper', async () => {
  const mark = await holdMark(nodes[0]);
  await expect(openMarked(nodes[1], mark)).rejects.toThrow(
    'another server than the backup began with',
  );
  await expect(openMarked(nodes[0], newRunMark())).rejects.toThrow('another server');
});

test.each([false, true])(
  "mydumper's waiting sessions are found among its user's (proxy with its own numbers: %s)",
  async (ownNumbers) => {
    const [db] = nodes;
    const mark = await holdMark(db);
    const { server } = await oneName([db], ownNumbers);
    const database = await open(server);
    const holder = await db.connect();
    await holder.query('LOCK TABLES shop.orders WRITE');
    const ours = await openMarked(db, mark);
    const foreign = await db.connect();
    const waiting = [ours, foreign].map((each) =>
      each.query('SELECT * FROM shop.orders').catch(() => {}),
    );
    await vi.waitFor(async () => {
      const states = (await db.query('SHOW PROCESSLIST')).map(({ State }) => String(State));
      expect(states.filter((state) => state === 'Waiting for table metadata lock')).toHaveLength(2);
    }, WAIT);
    const { all, dumping } = await readProcesses(database, mark, server.user);
    expect(all.length).toBeGreaterThan(4);
    await holder.end();
    await Promise.all(waiting);
    expect([...dumping]).toEqual([ours.threadId]);
  },
);

async function takeBound(source: string) {
  const { balancer, server } = await oneName(nodes);
  balancer.pin(0);
  const database = await open(server);
  const bound = { mark: newRunMark(), identity: await readIdentity(database) };
  const taken: Failure[] = [];
  const lost = (failure: Failure) => void taken.push(failure);
  const take = () => takeRunLock(server, backupOf(source), () => {}, lost, { bound });
  return { balancer, bound, taken, take };
}

async function holderOf(db: MariaDb, name: string): Promise<number | null> {
  const [row] = await db.query('SELECT IS_USED_LOCK(?) AS holder', [name]);
  return row?.holder === null ? null : Number(row?.holder);
}

test('the lock of a run is not taken in another server than preflight checked', async () => {
  const { balancer, take } = await takeBound('moved');
  balancer.pin(1);
  expect(await failureOf(take())).toMatchObject({
    kind: 'preflight',
    message: expect.stringMatching(
      /they led to \S+:\d+ \(server_id 1\) before and lead to \S+:\d+ .* now/,
    ),
  });
});

test('the mark is held with the lock of a run, also after the connection was lost', async () => {
  const { bound, taken, take } = await takeBound('lost');
  const lock = await take();
  const first = await holderOf(nodes[0], bound.mark);
  expect(first).toBe(await holderOf(nodes[0], backupOf('lost').name));
  await nodes[0].query(`KILL ${first}`);
  await vi.waitFor(async () => {
    const again = await holderOf(nodes[0], bound.mark);
    expect([null, first]).not.toContain(again);
    expect(again).toBe(await holderOf(nodes[0], backupOf('lost').name));
  }, WAIT);
  expect(taken).toEqual([]);
  await lock.release();
});

test('a run ends if its lost lock connection now leads to another server', async () => {
  const { balancer, bound, taken, take } = await takeBound('astray');
  const lock = await take();
  balancer.pin(1);
  await nodes[0].query(`KILL ${await holderOf(nodes[0], bound.mark)}`);
  await vi.waitFor(() => expect(taken).toHaveLength(1), WAIT);
  expect(taken).toMatchObject([{ kind: 'dump', message: expect.stringContaining('lead to') }]);
  expect(await holderOf(nodes[1], backupOf('astray').name)).toBeNull();
  await lock.release();
});
