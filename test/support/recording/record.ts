import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ServerConfig } from '../../../app/config.ts';
import { openDatabase } from '../../../app/database/connection.ts';
import { hasNonTransactionalTables, readInventory } from '../../../app/database/inventory.ts';
import { planBudget } from '../../../app/governor/feasibility.ts';
import { mydumperArguments, SYSTEM_SCHEMAS } from '../../../app/mydumper/arguments.ts';
import { renderOptionFile, writeOptionFile } from '../../../app/mydumper/option-file.ts';
import { parseVersion, toolEnvironment } from '../../../app/mydumper/version.ts';
import { claimStaging, OUR_PREFIX } from '../../../app/staging/directory.ts';
import { quoteName, quoteText } from '../mariadb/sql.ts';
import { temporaryDirectory } from '../program.ts';
import { type HeldRelay, startHeldRelay } from './held-relay.ts';
import { neutralText, type Surroundings, substance, withoutRepeats } from './neutral.ts';
import { RECORDINGS, type RecordedStep, type RecordedTools, type Recording } from './recording.ts';
import { type RecordedRun, runsFor } from './runs.ts';
import { type RecordedServer, startOwnServer, useServer } from './server.ts';
import { type RunningTool, watchTool } from './watch-tool.ts';

const USAGE = `Records runs of the mydumper 1.x on the PATH as fixtures.
  node test/support/recording/record.ts [--server HOST:PORT --user USER --password PASSWORD] [name...]
Without --server it starts the MariaDB of this machine. A server that is given must have no databases but its own.
Names are those of runs (runs.ts) and "tools"; without any, all are recorded. Root is needed for the run with a full disk.`;

const USER = 'backup';
const USER_PASSWORD = 'a password';
const SIGINT_SECONDS = 3;
const MIB = 1024 * 1024;

const searchPath = process.env.PATH ?? '';
const said = (tool: string, option: string) =>
  execFileSync(tool, [option], { encoding: 'utf8', env: toolEnvironment(searchPath) }).trimEnd();

/** The client library that the tool was built with, as a directory's name. */
function clientOf(version: string): string {
  if (parseVersion(version)?.generation !== 'modern') throw new Error(`not mydumper 1.x: ${version}`);
  return /built against MariaDB/.test(version) ? 'libmariadb' : 'mysql-client';
}

async function removeDatabases({ query }: RecordedServer): Promise<void> {
  const system = new Set<string>(SYSTEM_SCHEMAS);
  for (const { name } of await query('SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA'))
    if (!system.has(name)) await query(`DROP DATABASE ${quoteName(name)}`);
  await query(`DROP USER IF EXISTS ${USER}@'127.0.0.1', ${USER}@localhost`);
}

async function prepare(
  { query }: RecordedServer,
  { data, privileges, privilegesOn = '*.*' }: RecordedRun,
): Promise<void> {
  for (const statement of data.flat()) await query(statement);
  if (privileges === undefined) return;
  for (const host of ['127.0.0.1', 'localhost']) {
    const user = `${USER}@${quoteText(host)}`;
    await query(`CREATE USER ${user} IDENTIFIED BY ${quoteText(USER_PASSWORD)}`);
    await query(`GRANT ${privileges.join(', ')} ON ${privilegesOn} TO ${user}`);
  }
}

/** The arguments and the option file with which this program starts mydumper for such a run. */
async function startOf(
  run: RecordedRun,
  server: RecordedServer,
  port: number,
  place: { directory: string; optionFile: string },
) {
  const asRoot = run.privileges === undefined;
  const address: ServerConfig = {
    ...{ host: '127.0.0.1', port, socket: undefined, queryTimeoutSeconds: 60 },
    user: asRoot ? server.user : USER,
    password: asRoot ? server.password : USER_PASSWORD,
    tls: { mode: run.tlsRequired ? 'required' : undefined, caFile: undefined },
  };
  const { databases = [], lock = 'ftwrl', further = [] } = run;
  const database = await openDatabase({ ...address, tls: { mode: undefined, caFile: undefined } });
  const inventory = await readInventory(database, databases).finally(() => database.close());
  const sizes = planBudget(
    { threads: 4, chunkMiB: 1, partBytes: 8 * MIB },
    { budgetBytes: 64 * MIB, generation: 'modern', compression: 'zstd', punching: true },
  );
  if (sizes === undefined) throw new Error('no such budget');
  const argv = mydumperArguments({
    generation: 'modern',
    ...place,
    ...sizes,
    databases,
    onlyDatabase: inventory.databases.length === 1 ? inventory.databases[0] : undefined,
    lock,
    hasNonTransactionalTables: hasNonTransactionalTables(inventory),
    extraArguments: further,
    server: address,
  });
  const options = renderOptionFile(
    { ...address, password: run.password ?? address.password },
    inventory.session,
    'modern',
  );
  const kept = (lines: readonly string[], left: RegExp | undefined) =>
    lines.filter((line) => left?.test(line) !== true);
  return {
    argv: kept(argv, run.without),
    optionFile: `${kept(options.trimEnd().split('\n'), run.withoutOption).join('\n')}\n`,
    password: run.password ?? address.password,
  };
}

async function record(run: RecordedRun, server: RecordedServer, tool: string): Promise<Recording> {
  await removeDatabases(server);
  await prepare(server, run);
  const relay = await startHeldRelay(server.host, server.port);
  const { path, remove } = temporaryDirectory('mf-record');
  const directory = join(path, 'output');
  mkdirSync(directory);
  const disk = run.diskBytes;
  if (disk !== undefined) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${disk}`, 'tmpfs', directory]);
  const staging = claimStaging(directory);
  let acting: Promise<void> | undefined;
  let failure: unknown;
  try {
    const { argv, optionFile, password } = await startOf(run, server, relay.port, staging);
    writeOptionFile(staging.optionFile, optionFile);
    const watched = await watchTool({
      command: ['mydumper', ...argv],
      environment: toolEnvironment(searchPath),
      directory,
      ignored: (name) => name.startsWith(OUR_PREFIX),
      onLine: (line, running) => {
        if (acting === undefined && run.middle?.at.test(line))
          acting = act(run, { server, relay, tool: running }).catch((error: unknown) => {
            failure = error;
            running.kill('SIGKILL');
          });
      },
    });
    await acting;
    if (failure !== undefined) throw failure;
    if (run.middle !== undefined && acting === undefined)
      throw new Error(`${run.name}: no line ${run.middle.at}`);
    const surroundings: Surroundings = {
      outputDirectory: directory,
      optionFile: staging.optionFile,
      password,
      ports: [relay.port, server.port],
    };
    return neutral(
      { run: run.run, tool, server: server.version, argv, optionFile: optionFile.split('\n'), ...watched },
      surroundings,
    );
  } finally {
    staging.clear();
    if (disk !== undefined) execFileSync('umount', [directory]);
    remove();
    await relay.close();
    await server.revive?.();
    await removeDatabases(server);
  }
}

async function act(
  { middle, name }: RecordedRun,
  here: { server: RecordedServer; relay: HeldRelay; tool: RunningTool },
): Promise<void> {
  here.relay.hold();
  await middle?.act(here);
  here.relay.release();
  // It asks on its standard input, which has nothing, and never ends.
  if (name !== 'sigint') return;
  await sleep(SIGINT_SECONDS * 1000);
  here.tool.acted(`SIGKILL after ${SIGINT_SECONDS} s`);
  here.tool.kill('SIGKILL');
}

function neutral(recording: Recording, surroundings: Surroundings): Recording {
  const text = (line: string) => neutralText(line, surroundings);
  const step = (each: RecordedStep): RecordedStep => {
    if ('stdout' in each) return { stdout: text(each.stdout) };
    return 'stderr' in each ? { stderr: text(each.stderr) } : each;
  };
  const files = Object.entries(recording.files).map(([name, { lines, ...file }]) => [
    name,
    lines === undefined ? file : { lines: lines.map(text), ...file },
  ]);
  return {
    ...recording,
    argv: recording.argv.map(text),
    optionFile: recording.optionFile.map(text),
    steps: withoutRepeats(recording.steps.map(step)),
    files: Object.fromEntries(files),
  };
}

/** @returns whether anything but the work of threads differs from what was there. */
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

function recordTools(client: string): void {
  const describe = (tool: string) => ({
    version: said(tool, '--version'),
    help: said(tool, '--help').split('\n'),
  });
  const tools: RecordedTools = { mydumper: describe('mydumper'), myloader: describe('myloader') };
  mkdirSync(`${RECORDINGS}/${client}`, { recursive: true });
  writeFileSync(`${RECORDINGS}/${client}/tools.json`, JSON.stringify(tools));
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      server: { type: 'string' },
      user: { type: 'string', default: 'root' },
      password: { type: 'string', default: '' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(USAGE);
  const tool = said('mydumper', '--version');
  const client = clientOf(tool);
  const isWanted = (name: string) => positionals.length === 0 || positionals.includes(name);
  if (isWanted('tools')) recordTools(client);
  const [host = '', port = ''] = values.server?.split(':') ?? [];
  const { user, password } = values;
  const server =
    values.server === undefined
      ? await startOwnServer()
      : await useServer({ host, port: Number(port), user, password });
  try {
    const vendor = server.name.startsWith('mariadb') ? 'mariadb' : 'mysql';
    for (const run of runsFor(vendor)) {
      if (!isWanted(run.name) || run.onlyOn?.test(server.name) === false) continue;
      const recording = await record(run, server, tool);
      const isNew = save(`${client}/${server.name}/${run.name}`, recording);
      const { code, signal } = recording.exit;
      console.log(`${run.name}: ${signal ?? `exit code ${code}`}${isNew ? '' : ', as before'}`);
    }
  } finally {
    await server.stop();
  }
  execFileSync('npx', ['biome', 'format', '--write', RECORDINGS], { stdio: ['ignore', 'ignore', 'inherit'] });
}

await main();
