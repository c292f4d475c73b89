import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { configFile } from './server-config.ts';
import type { ServerProgram } from './server-program.ts';

const run = promisify(execFile);

/**
 * The scripts that `mariadb-install-db` sends to the server, in its order, without the help texts.
 */
const MARIADB_SCRIPTS = [
  '*_system_tables.sql',
  '*_performance_tables.sql',
  '*_system_tables_data.sql',
  'maria_add_gis_sp_bootstrap.sql',
  '*_sys_schema.sql',
];

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** `--user=root` where we are root: the server refuses to run as root unless told so. */
export function userArguments(): string[] {
  return userInfo().uid === 0 ? ['--user=root'] : [];
}

async function build(program: ServerProgram, target: string): Promise<void> {
  const work = await mkdtemp(`${target}.new-`);
  const data = join(work, 'data');
  const defaults = join(work, 'my.cnf');
  try {
    await mkdir(data);
    const own = [`tmpdir=${work}`, ...program.files];
    if (program.vendor === 'mysql') own.push(`datadir=${data}`, 'secure-file-priv=', 'mysqlx=OFF');
    else own.push('innodb_log_file_size=16M');
    // A file system shared by every user of the machine: nobody else may read the data directory.
    await writeFile(defaults, configFile(own), { mode: 0o600 });
    if (program.vendor === 'mysql') await initialize(program, defaults);
    else if (program.share === undefined) await install(defaults, data);
    else await bootstrap(program, defaults, data);
    await rename(data, target).catch(async (error: unknown) => {
      // Another worker was first. Its template is the same.
      if (!(await exists(join(target, 'mysql')))) throw error;
    });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new Error(`${program.path} could not make a data directory: ${detail}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function initialize({ command }: ServerProgram, defaults: string): Promise<void> {
  const [program = '', ...args] = command;
  await run(
    program,
    [...args, `--defaults-file=${defaults}`, '--initialize-insecure', ...userArguments()],
    {
      maxBuffer: 16 * 1024 * 1024,
    },
  );
}

async function install(defaults: string, data: string): Promise<void> {
  await run(
    'mariadb-install-db',
    [
      `--defaults-file=${defaults}`,
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
      ...userArguments(),
    ],
    {
      maxBuffer: 16 * 1024 * 1024,
      env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` },
    },
  );
}

/** Does the work of `mariadb-install-db`, which cannot start a server through a linker. */
async function bootstrap(
  { command, share = '' }: ServerProgram,
  defaults: string,
  data: string,
): Promise<void> {
  const scripts = [
    'CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n',
  ];
  for (const pattern of MARIADB_SCRIPTS) {
    for await (const name of glob(pattern, { cwd: share })) {
      scripts.push(await readFile(join(share, name), 'utf8'));
    }
  }
  const [program = '', ...args] = command;
  const child = spawn(
    program,
    [
      ...args,
      `--defaults-file=${defaults}`,
      `--datadir=${data}`,
      '--bootstrap',
      '--skip-name-resolve',
      '--max_allowed_packet=8M',
      '--net_buffer_length=16K',
      ...userArguments(),
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  // The server may end before it has read everything. Its exit code then reports the failure.
  child.stdin.on('error', () => undefined);
  child.stdin.end(scripts.join('\n'));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`--bootstrap ended with ${code}\n${errors.slice(-4000)}`);
}

/**
 * Directory with a freshly installed data directory, made once per machine, user and server version
 * and kept in the temporary directory. It is never opened by a server: each instance gets a copy.
 *
 * @throws Error when the server's own way to install it is missing or fails, with its output.
 */
export async function templateDataDir(program: ServerProgram): Promise<string> {
  const version = program.version.replace(/[^\w.-]/g, '_');
  const target = join(tmpdir(), `${program.vendor}-template-${userInfo().uid}-${version}`);
  if (!(await exists(join(target, 'mysql')))) await build(program, target);
  return target;
}

/**
 * Copies the template into `target`, which may be missing or empty, sharing blocks where the file
 * system can.
 */
export async function copyTemplate(program: ServerProgram, target: string): Promise<void> {
  const template = await templateDataDir(program);
  await mkdir(target, { recursive: true, mode: 0o700 });
  await run('cp', ['-a', '--reflink=auto', `${template}/.`, target]);
  // It holds MySQL's server_uuid: the server makes one of its own.
  await rm(join(target, 'auto.cnf'), { force: true });
}
