import { mydumperAstray } from '../../support/astray.ts';
import { type BalancerOptions, startBalancer } from '../../support/balancer.ts';
import { describeServer } from '../../support/mariadb/compare.ts';
import type { MariaDb } from '../../support/mariadb/harness.ts';
import { runProgram } from '../../support/program.ts';
import type { Pair, Row } from '../row.ts';
import { backUp, expectSameAsSql, manifestsIn, reasonOf } from '../runs.ts';
import { once } from './loads.ts';

const DATABASE = 'nodes';
const SETTINGS = { SOURCE: 'nodes', DATABASES: DATABASE };

const made = once(async ({ db }) => {
  await db.query(`CREATE DATABASE ${DATABASE}`);
  await db.query(`CREATE TABLE ${DATABASE}.t (id int PRIMARY KEY)`);
  await db.query(`INSERT INTO ${DATABASE}.t VALUES (1), (2)`);
  return describeServer(db, [DATABASE]);
});

/** Runs `use` with the port of a relay to these servers. */
async function through<T>(
  servers: readonly MariaDb[],
  options: BalancerOptions,
  use: (port: number) => Promise<T>,
): Promise<T> {
  const ports = servers.map(({ port }) => port);
  const balancer = await startBalancer(ports, options);
  try {
    return await use(balancer.port);
  } finally {
    await balancer.close();
  }
}

/** Runs a backup that must make no manifest and end with this code and reason. */
async function expectNone(
  { world }: Pair,
  extra: Record<string, string>,
  code: number,
  reason: string,
): Promise<void> {
  const before = await manifestsIn(world);
  const ended = await runProgram(world.environment({ ...SETTINGS, ...extra }));
  if ((await manifestsIn(world)) > before) throw new Error('there is a manifest');
  const words = reasonOf(ended);
  if (ended.code !== code || !words.includes(reason))
    throw new Error(`exit ${ended.code}: ${words}`);
}

export const nodeRows: readonly Row[] = [
  {
    id: 'nodes-two-servers',
    part: 'backup',
    promise:
      'A host name that leads to two servers in turn: no backup, refused before the dump (exit 3)',
    run: async (pair) => {
      await made(pair);
      await through([pair.db, pair.copy], {}, (port) =>
        expectNone(pair, { PORT: String(port) }, 3, 'connections reached different servers'),
      );
      return undefined;
    },
  },
  {
    id: 'nodes-mydumper-astray',
    part: 'backup',
    promise:
      'A host name that leads mydumper to two servers and the run to one: no backup (exit 4)',
    run: async (pair) => {
      await made(pair);
      // Without the database on the other server, 0.10 fails to connect before the check of the
      // mark.
      await pair.copy.query(`CREATE DATABASE ${DATABASE}`);
      try {
        await through([pair.db, pair.copy], {}, (port) => {
          const MYDUMPER_BIN = mydumperAstray(pair.world.directory, port);
          return expectNone(pair, { MYDUMPER_BIN }, 4, 'another server than the backup began with');
        });
      } finally {
        await pair.copy.query(`DROP DATABASE ${DATABASE}`);
      }
      return undefined;
    },
  },
  {
    id: 'nodes-proxy',
    part: 'backup',
    promise: 'A proxy before one server: it numbers the connections itself and intercepts `KILL`',
    run: async (pair) => {
      const before = await made(pair);
      await through([pair.db], { ownNumbers: true }, async (port) => {
        const backup = await backUp(pair.world, { ...SETTINGS, PORT: String(port) });
        await expectSameAsSql(pair.world, pair.copy, backup, before);
      });
      return undefined;
    },
  },
];
