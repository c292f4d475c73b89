import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { elsewhere } from '../support/tracked-directory.ts';

const MARKER = '.mydumper-fargate.json';
const CONTENDERS = 4;
const ROUNDS = 10;
/**
 * Claims each directory that a line names, at the time that the line gives, and reports the result.
 */
const CONTENDER = `
const { claimStaging } = await import(process.argv[1]);
const { createInterface } = await import('node:readline');
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [at, directory] = JSON.parse(line);
  while (performance.timeOrigin + performance.now() < at);
  try {
    claimStaging(directory);
    console.log('won');
  } catch (error) {
    console.log(error.kind + ': ' + error.message);
  }
}`;
const MODULE = new URL('../../app/staging/directory.ts', import.meta.url).href;

type Contender = { readonly child: ChildProcess; readonly ask: (line: string) => Promise<string> };
const contenders: Contender[] = [];

async function startContender(): Promise<Contender> {
  const argv = ['--input-type=module', '-e', CONTENDER, MODULE];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const contender = {
    child,
    ask: async (line: string) => {
      const answer = once(lines, 'line');
      child.stdin.write(`${line}\n`);
      return String((await answer)[0]);
    },
  };
  contenders.push(contender);
  await once(lines, 'line');
  return contender;
}

afterEach(() => {
  for (const { child } of contenders.splice(0)) child.kill('SIGKILL');
});

/** All contenders claim the directory in the same moment. @returns what they say. */
async function contend(directory: string): Promise<string[]> {
  const at = performance.timeOrigin + performance.now() + 20;
  return Promise.all(contenders.map(({ ask }) => ask(JSON.stringify([at, directory]))));
}

async function expectOneWinner(prepare: (directory: string) => void): Promise<void> {
  await Promise.all(Array.from({ length: CONTENDERS }, startContender));
  const parent = elsewhere();
  for (let round = 0; round < ROUNDS; round += 1) {
    const directory = join(parent, `${round}`);
    prepare(directory);
    const said = await contend(directory);
    const winners = contenders.filter((_, index) => said[index] === 'won');
    expect(winners, said.join('\n')).toHaveLength(1);
    expect(said.filter((line) => line.startsWith('preflight: OUTPUTDIR='))).toHaveLength(
      CONTENDERS - 1,
    );
    expect(readdirSync(directory)).toEqual([MARKER]);
    const { pid } = JSON.parse(readFileSync(join(directory, MARKER), 'utf8')) as { pid: number };
    expect(pid).toBe(winners[0]?.child.pid);
  }
}

test('of several runs that take a new directory at once, one has it', async () => {
  await expectOneWinner(() => {});
});

test("only one of several runs gets a directory with a dead run's leftovers", async () => {
  await expectOneWinner((directory) => {
    mkdirSync(directory);
    writeFileSync(
      join(directory, MARKER),
      JSON.stringify({ pid: 2 ** 30, startTicks: '1', bootId: 'another-boot' }),
    );
    for (let file = 0; file < 50; file += 1) writeFileSync(join(directory, `db.t${file}.sql`), 'x');
  });
});
