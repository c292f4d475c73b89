import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { mydumperAstray } from '../support/astray.ts';
import { type BalancerOptions, startBalancer } from '../support/balancer.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { type Ended, logLines, runProgram } from '../support/program.ts';
import { BUCKET, leftInStaging, manifestKeys, startWorld, type World } from './world.ts';

let nodes: [MariaDb, MariaDb];
let world: World;

beforeAll(async () => {
  nodes = [await startMariaDb(), await startMariaDb()];
  for (const [index, node] of nodes.entries()) {
    await node.query('CREATE DATABASE shop');
    for (const table of ['a', 'b', 'c', 'd']) {
      await node.query(`CREATE TABLE shop.${table} (id int PRIMARY KEY, node int)`);
      await node.query(`INSERT INTO shop.${table} VALUES (1, ${index})`);
    }
  }
});
afterAll(async () => {
  for (const node of nodes ?? []) await node.stop();
});
beforeEach(async () => {
  world = await startWorld({ db: nodes[0] });
});
afterEach(() => world?.stop());

const both = () => nodes.map(({ port }) => port);

async function balance(ports: readonly number[], options: BalancerOptions = {}) {
  const balancer = await startBalancer(ports, options);
  onTestFinished(balancer.close);
  return balancer;
}

const reasonOf = ({ stdout }: Ended) =>
  logLines(stdout).find(({ event }) => event === 'failed')?.reason ?? 'it did not fail';

test.each(['turns', 'fewest'] as const)(
  'a balancer over two servers by %s: refused before anything starts',
  async (by) => {
    const { port, counts } = await balance(both(), { by });
    const ended = await runProgram(world.environment({ HOST: 'localhost', PORT: String(port) }));
    expect(ended.code).toBe(3);
    expect(reasonOf(ended)).toMatch(
      new RegExp(
        `^HOST="localhost" PORT=${port}: 5 connections reached different servers: \\S+:\\d+ ` +
          '\\(server_id 1\\) ' +
          'and \\S+:\\d+ \\(server_id 1\\); .* set HOST and PORT to the address of one server$',
      ),
    );
    expect(counts().every((count) => count > 0)).toBe(true);
    expect(await world.s3.objects(BUCKET)).toEqual([]);
    expect(leftInStaging(world)).toEqual([]);
  },
);

test('preflight notices two servers with one thread too', async () => {
  const { port } = await balance(both());
  const ended = await runProgram(world.environment({ PORT: String(port), THREADS: '1' }));
  expect(ended.code).toBe(3);
  expect(reasonOf(ended)).toContain('4 connections reached different servers');
});

async function expectRefusedDump(ended: Ended): Promise<void> {
  expect(ended.code).toBe(4);
  expect(reasonOf(ended)).toMatch(
    new RegExp(
      '^mydumper reported an error: one of its connections reached another server than the ' +
        'backup began with: HOST leads to several servers; ' +
        '.* set HOST and PORT to the address of one server$',
    ),
  );
  expect(await manifestKeys(world)).toEqual([]);
  expect(leftInStaging(world)).toEqual([]);
}

test.each(['auto', 'none'])(
  'only mydumper reaches two servers: no manifest, with LOCK_MODE=%s',
  async (mode) => {
    const { port, counts } = await balance(both());
    const MYDUMPER_BIN = mydumperAstray(world.directory, port);
    await expectRefusedDump(await runProgram(world.environment({ MYDUMPER_BIN, LOCK_MODE: mode })));
    expect(counts().every((count) => count > 0)).toBe(true);
  },
);

test('all connections of mydumper reach another server: no manifest', async () => {
  const MYDUMPER_BIN = mydumperAstray(world.directory, nodes[1].port);
  await expectRefusedDump(await runProgram(world.environment({ MYDUMPER_BIN })));
});

test.each<[string, BalancerOptions]>([
  ['a balancer', {}],
  ['a proxy that gives connections numbers of its own', { ownNumbers: true }],
])('one server behind %s makes a backup', async (_what, options) => {
  const { port, counts } = await balance([nodes[0].port, nodes[0].port], options);
  const { code, stdout } = await runProgram(world.environment({ PORT: String(port) }));
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(await manifestKeys(world)).toHaveLength(1);
  expect(counts().every((count) => count > 0)).toBe(true);
});

test('two runs at once through one name for two servers make no backup', async () => {
  const { port } = await balance(both());
  const runs = await Promise.all(
    ['one', 'two'].map((name) =>
      runProgram(world.environment({ PORT: String(port), OUTPUTDIR: join(world.directory, name) })),
    ),
  );
  expect(runs.map(({ code }) => code)).toEqual([3, 3]);
  expect(await manifestKeys(world)).toEqual([]);
});
