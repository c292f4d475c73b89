import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { BUCKET, manifestKeys, startWorld, type World } from '../test/e2e/world.ts';
import { type Balance, startHaProxy } from '../test/support/haproxy.ts';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';
import { logLines, runProgram } from '../test/support/program.ts';

let nodes: [MariaDb, MariaDb];
let world: World;

beforeAll(async () => {
  nodes = [await startMariaDb(), await startMariaDb()];
  for (const node of nodes) {
    await node.query('CREATE DATABASE shop');
    await node.query('CREATE TABLE shop.orders (id int PRIMARY KEY, node int)');
    await node.query('INSERT INTO shop.orders VALUES (1, ?)', [node.port]);
  }
});
afterAll(async () => {
  for (const node of nodes ?? []) await node.stop();
});
beforeEach(async () => {
  world = await startWorld({ db: nodes[0] });
});
afterEach(() => world?.stop());

async function backUpThrough(servers: readonly MariaDb[], balance: Balance) {
  const ports = servers.map(({ port }) => port);
  const haproxy = await startHaProxy(world.directory, ports, balance);
  onTestFinished(haproxy.stop);
  return await runProgram(world.environment({ PORT: String(haproxy.port) }));
}

test.each<Balance>(['roundrobin', 'leastconn', 'random'])(
  'two servers behind HAProxy with balance %s are refused',
  async (balance) => {
    const { code, stdout } = await backUpThrough(nodes, balance);
    const { reason } = logLines(stdout).find(({ event }) => event === 'failed') ?? {};
    expect(reason).toContain('connections reached different servers');
    expect(code).toBe(3);
    expect(await world.s3.objects(BUCKET)).toEqual([]);
  },
);

test.each<[string, number, Balance]>([
  ['one server behind HAProxy', 1, 'roundrobin'],
  ['two servers behind HAProxy, which leads a client to one of them', 2, 'source'],
])('%s makes a backup', async (_what, count, balance) => {
  const { code, stdout } = await backUpThrough(nodes.slice(0, count), balance);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(await manifestKeys(world)).toHaveLength(1);
});
