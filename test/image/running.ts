import { type ChildProcess, spawn } from 'node:child_process';
import type { Running } from './builder.ts';

/** Follows a started container. It dies with the test. */
export function follow(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: (child: ChildProcess, name: 'SIGTERM') => void,
): Running {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const look of waiting) look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Awaited<Running['ended']>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    signal: (name) => signal(child, name),
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (stdout.includes(text)) resolve();
        };
        waiting.add(look);
        look();
        ended.then(
          () => reject(new Error(`ended without printing ${text}:\n${stdout}\n${stderr}`)),
          reject,
        );
      }),
    ended,
  };
}
