import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../../app/database/connection.ts';
import { type Inventory, readInventory } from '../../../app/database/inventory.ts';
import { readUserRights, type UserRights } from '../../../app/database/user-rights.ts';
import { type LockPlan, mydumperArguments } from '../../../app/mydumper/arguments.ts';
import { looksLikeError } from '../../../app/mydumper/error-lines.ts';
import { parseLine } from '../../../app/mydumper/log-reader.ts';
import { parseMetadata } from '../../../app/mydumper/metadata.ts';
import { renderOptionFile } from '../../../app/mydumper/option-file.ts';
import { readVersion, toolEnvironment } from '../../../app/mydumper/version.ts';
import { type MariaDb, startMariaDb } from '../mariadb/harness.ts';
import { serverAddress } from '../mariadb/server-address.ts';
import { temporaryDirectory } from '../program.ts';
import type { PrivilegeRecording, PrivilegeRun } from './recording.ts';
import { createPrivilegeDatabases, DATABASES, privilegeUsers } from './users.ts';

// Records what mydumper does without each privilege: `node test/support/privileges/record.ts FILE
// on|off [USERS]`, with the mydumper that is first on the PATH, the server that TEST_SERVER names,
// and its binary log on or off. USERS is a regular expression; without it all users are recorded.

const PATIENCE_MS = 8000;
/** The number of lost files and of messages to keep; a few are enough. */
const SHOWN = 2;
const LOCKS: readonly LockPlan[] = ['ftwrl', 'lock-all', 'none', 'safe-no-lock'];

type Dump = { readonly run: PrivilegeRun; readonly files: ReadonlyMap<string, string> };

async function record(file: string, binaryLog: boolean, which: RegExp): Promise<void> {
  const log = binaryLog ? ['log-bin=binlog', 'server-id=1'] : [];
  const db = await startMariaDb({ config: log, rootPassword: '' });
  try {
    const path = process.env.PATH ?? '';
    const { generation } = await readVersion('mydumper', path, AbortSignal.timeout(10_000));
    await createPrivilegeDatabases(db);
    const [server] = await db.query('SELECT VERSION() AS version, @@version_comment AS comment');
    const users: PrivilegeRecording['users'][number][] = [];
    const full = new Map<LockPlan, ReadonlyMap<string, string>>();
    for (const [lacks, grants] of Object.entries(privilegeUsers(db))) {
      if (lacks !== 'nothing' && !which.test(lacks)) continue;
      await createUser(db, grants);
      const { inventory, rights } = await lookAs(db, generation);
      const runs: Partial<Record<LockPlan, PrivilegeRun>> = {};
      for (const lock of LOCKS) {
        if (lock === 'safe-no-lock' && generation === 'classic') continue;
        const { run, files } = await dump(db, inventory, generation, lock);
        if (lacks === 'nothing') full.set(lock, files);
        const lost = [...(full.get(lock) ?? [])].filter(([name, hash]) => files.get(name) !== hash);
        runs[lock] = { ...run, lost: lost.map(([name]) => name).slice(0, SHOWN) };
      }
      const { databases, tables, views, grants: lines, literalNames } = inventory;
      users.push({
        lacks,
        told: { databases, tables, views, grants: lines, literalNames, ...rights },
        runs,
      });
      process.stderr.write(`${lacks}: ${Object.values(runs).map(({ exit }) => exit)}\n`);
    }
    const recording: PrivilegeRecording = {
      mydumper: (await output('mydumper', ['--version'])).trim(),
      generation,
      vendor: db.vendor,
      server: `${server?.version} (${server?.comment})`,
      binaryLog,
      users,
    };
    writeFileSync(file, render(recording));
  } finally {
    await db.stop();
  }
}

/** Messages without a bearing on privileges. */
const TLS = { flags: [], lines: [] };

async function createUser(db: MariaDb, grants: readonly string[]): Promise<void> {
  await db.query("DROP USER IF EXISTS backup@'127.0.0.1'");
  await db.query("CREATE USER backup@'127.0.0.1'");
  for (const grant of grants) await db.query(`GRANT ${grant} TO backup@'127.0.0.1'`);
}

function addressOf(db: MariaDb) {
  return serverAddress(db, { user: 'backup', password: '' });
}

async function lookAs(
  db: MariaDb,
  generation: 'classic' | 'modern',
): Promise<{ inventory: Inventory; rights: UserRights }> {
  const database = await openDatabase(addressOf(db));
  try {
    const inventory = await readInventory(database, DATABASES);
    return { inventory, rights: await readUserRights(database, generation, inventory) };
  } finally {
    await database.close();
  }
}

/** The program's arguments for mydumper, without the errors that it has mydumper ignore. */
async function dump(
  db: MariaDb,
  inventory: Inventory,
  generation: 'classic' | 'modern',
  lock: LockPlan,
): Promise<Dump> {
  const { path: root, remove } = temporaryDirectory('mf-record');
  const directory = join(root, 'output');
  try {
    const server = addressOf(db);
    const optionFile = join(root, 'options');
    writeFileSync(optionFile, renderOptionFile(server, inventory.session, generation, TLS), {
      mode: 0o600,
    });
    const argv = mydumperArguments({
      ...{ generation, directory, optionFile, lock, server, tls: TLS },
      ...{ threads: 2, chunkMiB: 1, statementBytes: 100_000 },
      ...{ databases: DATABASES, contents: inventory, engines: inventory.engines },
      mostColumns: inventory.mostColumns,
      ...{ serverVersion: inventory.productHint, ignoredErrors: [], extraArguments: [] },
    });
    const { exit, lines } = await runMydumper(argv);
    const said = lines
      .map(parseLine)
      .filter(
        ({ level, text }) => level === 'error' || (level === 'warning' && looksLikeError(text)),
      )
      .map(({ text }) => text);
    const { files, position } = readDump(directory);
    return { run: { exit, position, lost: [], said: [...new Set(said)].slice(0, SHOWN) }, files };
  } finally {
    remove();
  }
}

async function runMydumper(
  argv: readonly string[],
): Promise<{ exit: number | string; lines: string[] }> {
  const child = spawn('mydumper', argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: toolEnvironment(process.env.PATH ?? ''),
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, PATIENCE_MS);
  const exit = await new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(late ? 'endless' : (code ?? signal ?? '')));
  });
  clearTimeout(timer);
  return { exit, lines: text.split('\n').filter((line) => line !== '') };
}

function readDump(directory: string): { files: ReadonlyMap<string, string>; position: boolean } {
  const files = new Map<string, string>();
  let position = false;
  for (const name of readdirSync(directory)) {
    const text = readFileSync(join(directory, name), 'utf8');
    if (name.startsWith('metadata')) position = parseMetadata(text).binlog?.position !== undefined;
    else files.set(name, createHash('sha256').update(text).digest('hex'));
  }
  return { files, position };
}

async function output(command: string, argv: readonly string[]): Promise<string> {
  const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await new Promise((resolve) => child.on('close', resolve));
  return text;
}

/** One line for each user. */
function render({ users, ...head }: PrivilegeRecording): string {
  const lines = users.map((user) => `    ${JSON.stringify(user)}`).join(',\n');
  return `${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "users": [\n${lines}\n  ]\n}\n`;
}

const [file, log, users = ''] = process.argv.slice(2);
if (file === undefined || (log !== 'on' && log !== 'off'))
  throw new Error('usage: node test/support/privileges/record.ts FILE on|off [USERS]');
await record(file, log === 'on', new RegExp(users));
