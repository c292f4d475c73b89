import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_DEADLINE_MS = 20_000;

/** HAProxy in front of servers on this machine. */
export type HaProxy = { readonly port: number; readonly stop: () => Promise<void> };

/** How HAProxy chooses a server for a connection, in HAProxy's terms. */
export type Balance = 'roundrobin' | 'leastconn' | 'random' | 'source';

/**
 * Starts `haproxy`, which dies with this process.
 * @throws Error with HAProxy's output when it does not start.
 */
export async function startHaProxy(
  directory: string,
  ports: readonly number[],
  balance: Balance,
): Promise<HaProxy> {
  const port = await freePort();
  const lines = [
    'defaults',
    '  mode tcp',
    '  timeout connect 5s',
    '  timeout client 10m',
    '  timeout server 10m',
    'listen mysql',
    `  bind 127.0.0.1:${port}`,
    `  balance ${balance}`,
    ...ports.map((target, index) => `  server node${index} 127.0.0.1:${target}`),
  ];
  const config = join(directory, `haproxy-${port}.cfg`);
  writeFileSync(config, `${lines.join('\n')}\n`);
  const command = ['haproxy', '-db', '-f', config];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` },
  });
  let output = '';
  let running = true;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  ended.then(() => {
    running = false;
  });
  child.once('error', (error) => {
    output += error.message;
  });
  const deadline = Date.now() + START_DEADLINE_MS;
  while (running && !(await answers(port))) {
    if (Date.now() > deadline) child.kill('SIGKILL');
    await sleep(20);
  }
  if (!running) throw new Error(`haproxy did not start: ${output}`);
  return {
    port,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free TCP port');
  return address.port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
