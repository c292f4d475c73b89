import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { configFile, FAST_AND_SMALL } from './server-config.ts';
import type { ServerProgram } from './server-program.ts';
import { userArguments } from './template.ts';

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 30_000;

/** What one server's process needs: its program, its addresses and its data. */
type Instance = {
  readonly program: ServerProgram;
  /** Directory of the option file and the error log. */
  readonly dir: string;
  readonly socket: string;
  readonly port: number;
  readonly dataDir: string;
  /** Password of root, set at every start. */
  readonly password: string;
};

/** Connections to the server, which end with its process. */
type Connections = {
  readonly connect: () => Promise<Connection>;
  readonly disconnect: () => void;
};

export type ServerProcess = {
  /** -1 when no process runs. */
  readonly pid: number;
  /**
   * Starts the server and waits until root can log in.
   * @throws Error when the server does not answer within a minute, with its error log's end.
   */
  readonly start: (config: readonly string[]) => Promise<void>;
  /** Ends the process, by SIGKILL if it outlives the deadline. */
  readonly halt: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
};

async function tail(path: string, bytes = 4000): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.slice(-bytes);
}

/** The process of a server; it dies with the thread that started it. */
export function serverProcess(instance: Instance, connections: Connections): ServerProcess {
  const { program, dir, socket, port, dataDir, password } = instance;
  const errorLog = join(dir, 'error.log');
  let child: ChildProcess | undefined;

  const exited = async (deadline: number): Promise<boolean> => {
    const current = child;
    if (current === undefined || current.exitCode !== null || current.signalCode !== null)
      return true;
    return Promise.race([
      once(current, 'exit').then(() => true),
      sleep(deadline, false, { ref: false }),
    ]);
  };

  const halt = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    connections.disconnect();
    child?.kill(signal);
    if (!(await exited(STOP_DEADLINE_MS))) {
      child?.kill('SIGKILL');
      await exited(STOP_DEADLINE_MS);
    }
    child = undefined;
  };

  const start = async (config: readonly string[]): Promise<void> => {
    const own = [
      `datadir=${dataDir}`,
      `socket=${socket}`,
      `port=${port}`,
      `pid-file=${join(dir, 'pid')}`,
    ];
    // The server runs it at every start, before it accepts connections. The harness removes the
    // file once the server answers.
    const init = join(dir, 'init.sql');
    const quoted = `'${password.replace(/[\\']/g, (c) => `\\${c}`)}'`;
    await writeFile(
      init,
      [
        "SET sql_mode='';",
        `ALTER USER root@localhost IDENTIFIED BY ${quoted};`,
        `CREATE USER IF NOT EXISTS root@'127.0.0.1' IDENTIFIED BY ${quoted};`,
        `ALTER USER root@'127.0.0.1' IDENTIFIED BY ${quoted};`,
        "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;",
        '',
      ].join('\n'),
      { mode: 0o600 },
    );
    const defaults = join(dir, 'my.cnf');
    await writeFile(
      defaults,
      configFile([
        ...FAST_AND_SMALL[program.vendor],
        ...program.files,
        ...own,
        `tmpdir=${dir}`,
        `init-file=${init}`,
        ...config,
      ]),
      { mode: 0o600 },
    );
    const log = await open(errorLog, 'a');
    const started = spawn(
      'setpriv',
      [
        '--pdeathsig',
        'KILL',
        '--',
        ...program.command,
        `--defaults-file=${defaults}`,
        ...userArguments(),
      ],
      { stdio: ['ignore', log.fd, log.fd], detached: true },
    );
    child = started;
    let failure: string | undefined;
    started.on('error', (error) => {
      failure = error.message;
    });
    started.on('exit', (code, signal) => {
      failure = `it ended with ${signal ?? `exit code ${code}`}`;
    });
    await log.close();
    const deadline = Date.now() + START_DEADLINE_MS;
    for (;;) {
      const connection = await connections.connect().catch((error: unknown) => error);
      if (connection !== null && typeof connection === 'object' && 'threadId' in connection) break;
      if (failure === undefined && Date.now() > deadline)
        failure = `no login in a minute: ${String(connection)}`;
      if (failure !== undefined) {
        await halt('SIGKILL');
        throw new Error(`${program.path} did not start: ${failure}\n${await tail(errorLog)}`);
      }
      await sleep(20);
    }
    connections.disconnect();
    await rm(init, { force: true });
  };

  return {
    get pid() {
      return child?.pid ?? -1;
    },
    start,
    halt,
  };
}
