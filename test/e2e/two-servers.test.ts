import { expect, test } from 'vitest';
import { logLines, runProgram } from '../support/program.ts';
import { type Pair, runPair, usePairs } from '../support/run-pairs.ts';
import { manifestKeys } from './world.ts';

// soak/two-servers.test.ts runs 50 pairs.

const { servers, world } = usePairs();

test.each<readonly [string, Pair, number]>([
  ['in the same second', { aheadMilliseconds: 0 }, 1],
  ['with clocks an hour apart', { aheadMilliseconds: 3_600_000 }, 0],
  [
    'in the same second, one claim without an answer',
    { aheadMilliseconds: 0, fault: { action: { kind: 'lost-answer' } } },
    2,
  ],
])(
  'two runs %s through two servers make two backups, each of one server',
  async (_how, pair, taken) => {
    expect(await runPair(world(), servers, pair, taken)).toBeGreaterThanOrEqual(taken);
  },
);

test('two servers on one host: a notice names the SOURCE that separates them', async () => {
  for (const { db } of servers) {
    const server = {
      HOST: db.host,
      PORT: String(db.port),
      USERNAME: db.user,
      PASSWORD: db.password,
    };
    const run = (SOURCE: string) =>
      runProgram(world().environment({ ...server, SOURCE, DATABASES: 'pair' }));
    const { code, stdout } = await run('');
    expect(code).toBe(0);
    const notices = logLines(stdout)
      .filter(({ event }) => event === 'notice')
      .map(({ message }) => String(message));
    const advice = notices.find((message) => message.startsWith(`SOURCE is ${db.host},`)) ?? '';
    const own = /Set SOURCE=(\S+) /.exec(advice)?.[1] ?? '';
    expect(own).toBe(`${db.host}-${db.port}`);

    const apart = await run(own);
    expect(apart.code).toBe(0);
    expect(apart.stdout).not.toContain('SOURCE is ');
    const keys = (await manifestKeys(world())).filter((key) => key.startsWith(`${own}/`));
    expect(keys).toHaveLength(1);
  }
});
