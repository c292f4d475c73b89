import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerConfig } from '../../../app/config.ts';
import { openDatabase } from '../../../app/database/connection.ts';
import { readInventory } from '../../../app/database/inventory.ts';
import { planBudget } from '../../../app/governor/feasibility.ts';
import { mydumperArguments } from '../../../app/mydumper/arguments.ts';
import { renderOptionFile, writeOptionFile } from '../../../app/mydumper/option-file.ts';
import { toolEnvironment } from '../../../app/mydumper/version.ts';
import { claimStaging, OUR_PREFIX } from '../../../app/staging/directory.ts';
import { quoteText } from '../mariadb/sql.ts';
import { temporaryDirectory } from '../program.ts';
import { type HeldRelay, startHeldRelay } from './held-relay.ts';
import { neutralRecording } from './neutral.ts';
import type { RecordedRun } from './recorded-run.ts';
import type { Recording } from './recording.ts';
import { RECORDED_USER, type RecordedServer, removeDatabases } from './server.ts';
import { recordedTls } from './tls.ts';
import { type RunningTool, watchTool } from './watch-tool.ts';

const USER_PASSWORD = 'a password';
const SIGINT_SECONDS = 3;
const MIB = 1024 * 1024;

/** Runs mydumper once with the run's settings, on a server without other databases. */
export async function recordDump(
  run: RecordedRun,
  server: RecordedServer,
  tool: string,
): Promise<Recording> {
  await removeDatabases(server);
  await prepare(server, run);
  const relay = await startHeldRelay(server.host, server.port);
  const { path, remove } = temporaryDirectory('mf-record');
  const directory = join(path, 'output');
  mkdirSync(directory);
  const disk = run.diskBytes;
  if (disk !== undefined)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${disk}`, 'tmpfs', directory]);
  const staging = claimStaging(directory);
  let acting: Promise<void> | undefined;
  let failure: unknown;
  try {
    const { argv, optionFile, password } = await startOf(run, server, relay.port, staging, tool);
    writeOptionFile(staging.optionFile, optionFile);
    const watched = await watchTool({
      command: ['mydumper', ...argv],
      environment: toolEnvironment(process.env.PATH ?? ''),
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
    return neutralRecording(
      {
        run: run.run,
        tool,
        server: server.version,
        argv,
        optionFile: optionFile.split('\n'),
        ...watched,
      },
      {
        outputDirectory: directory,
        optionFile: staging.optionFile,
        password,
        ports: [relay.port, server.port],
      },
    );
  } finally {
    staging.clear();
    if (disk !== undefined) execFileSync('umount', [directory]);
    remove();
    await relay.close();
    await server.revive();
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
  // mydumper asks on standard input, which is empty, and never ends.
  if (name !== 'sigint') return;
  await sleep(SIGINT_SECONDS * 1000);
  here.tool.acted(`SIGKILL after ${SIGINT_SECONDS} s`);
  here.tool.kill('SIGKILL');
}

async function prepare(
  { query }: RecordedServer,
  { data, privileges, privilegesOn = '*.*' }: RecordedRun,
): Promise<void> {
  for (const statement of data.flat()) await query(statement);
  if (privileges === undefined) return;
  for (const host of ['127.0.0.1', 'localhost']) {
    const user = `${RECORDED_USER}@${quoteText(host)}`;
    await query(`CREATE USER ${user} IDENTIFIED BY ${quoteText(USER_PASSWORD)}`);
    await query(`GRANT ${privileges.join(', ')} ON ${privilegesOn} TO ${user}`);
  }
}

/** The arguments and the option file with which the program starts mydumper for such a run. */
async function startOf(
  run: RecordedRun,
  server: RecordedServer,
  port: number,
  place: { directory: string; optionFile: string },
  tool: string,
) {
  const asRoot = run.privileges === undefined;
  const address: ServerConfig = {
    ...{ host: '127.0.0.1', port, socket: undefined, queryTimeoutSeconds: 60 },
    user: asRoot ? server.user : RECORDED_USER,
    password: asRoot ? server.password : USER_PASSWORD,
    tls: { mode: run.tlsRequired ? 'required' : 'disabled', caFile: undefined },
  };
  const { databases = [], lock = 'ftwrl', further = [] } = run;
  const database = await openDatabase({ ...address, tls: { mode: 'disabled', caFile: undefined } });
  const tls = recordedTls(address.tls, tool);
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
    contents: inventory,
    lock,
    engines: inventory.engines,
    mostColumns: inventory.mostColumns,
    serverVersion: run.unnamed === true ? undefined : inventory.productHint,
    ignoredErrors: run.ignoredErrors ?? [],
    extraArguments: further,
    server: address,
    tls,
  });
  const options = renderOptionFile(
    { ...address, password: run.password ?? address.password },
    inventory.session,
    'modern',
    tls,
  );
  const kept = (lines: readonly string[], left: RegExp | undefined) =>
    lines.filter((line) => left?.test(line) !== true);
  return {
    argv: kept(argv, run.without),
    optionFile: `${kept(options.trimEnd().split('\n'), run.withoutOption).join('\n')}\n`,
    password: run.password ?? address.password,
  };
}
