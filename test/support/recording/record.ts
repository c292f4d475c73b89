import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseVersion, toolEnvironment } from '../../../app/mydumper/version.ts';
import { substance } from './neutral.ts';
import { recordDump } from './record-dump.ts';
import { RECORDINGS, type RecordedTool, type Recording } from './recording.ts';
import { runsFor } from './runs.ts';
import { type RecordedServer, startRecordedServer } from './server.ts';

const USAGE = `Records runs of the mydumper 1.x on the PATH as fixtures.
  node test/support/recording/record.ts [name...]
Names are those of runs (runs.ts) and "tool"; without any, all are recorded.
TEST_SERVER and TEST_SERVER_ROOT choose the server as in tests. The run with a full disk needs
root.`;

const searchPath = process.env.PATH ?? '';
const said = (option: string) =>
  execFileSync('mydumper', [option], {
    encoding: 'utf8',
    env: toolEnvironment(searchPath),
  }).trimEnd();

/** The client library that mydumper was built with, as a directory's name. */
function clientOf(version: string): string {
  if (parseVersion(version)?.generation !== 'modern')
    throw new Error(`not mydumper 1.x: ${version}`);
  return /built against MariaDB/.test(version) ? 'libmariadb' : 'mysql-client';
}

/** @returns whether the recording differs from the stored one, apart from the work of threads. */
function save(name: string, recording: Recording): boolean {
  const path = `${RECORDINGS}/${name}.json`;
  mkdirSync(join(path, '..'), { recursive: true });
  if (
    existsSync(path) &&
    substance(JSON.parse(readFileSync(path, 'utf8')) as Recording) === substance(recording)
  )
    return false;
  writeFileSync(path, JSON.stringify(recording));
  return true;
}

function recordTool(client: string, version: string): void {
  const tool: RecordedTool = { version, help: said('--help').split('\n') };
  mkdirSync(`${RECORDINGS}/${client}`, { recursive: true });
  writeFileSync(`${RECORDINGS}/${client}/tool.json`, JSON.stringify(tool));
}

function report(name: string, client: string, server: RecordedServer, recording: Recording): void {
  const isNew = save(`${client}/${server.name}/${name}`, recording);
  const { code, signal } = recording.exit;
  console.log(`${name}: ${signal ?? `exit code ${code}`}${isNew ? '' : ', as before'}`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean' } },
  });
  if (values.help) return console.log(USAGE);
  const tool = said('--version');
  const client = clientOf(tool);
  const isWanted = (name: string) => positionals.length === 0 || positionals.includes(name);
  if (isWanted('tool')) recordTool(client, tool);
  const server = await startRecordedServer();
  try {
    for (const run of runsFor(server.vendor)) {
      if (!isWanted(run.name) || run.onlyOn?.test(server.name) === false) continue;
      report(run.name, client, server, await recordDump(run, server, tool));
    }
  } finally {
    await server.stop();
  }
  execFileSync('npx', ['biome', 'format', '--write', RECORDINGS], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

await main();
