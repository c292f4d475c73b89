import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE } from './compile-cache.ts';
import { inMountNamespace } from './mount-namespace.ts';

const MAIN = fileURLToPath(new URL('../../app/main.ts', import.meta.url));

export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type RunningProgram = {
  readonly pid: number;
  readonly child: ChildProcess;
  /** What it has printed up to now. */
  readonly output: () => { stdout: string; stderr: string };
  /** Resolves once standard output holds the text; rejects when the program ends before. */
  readonly printed: (text: string) => Promise<void>;
  readonly ended: Promise<Ended>;
};

/**
 * Starts `app/main.ts` as a process of its own with exactly this environment (and PATH), through
 * `wrapper` if there is one. Killed with the test process.
 */
export function startProgram(
  environment: Record<string, string>,
  argv: readonly string[] = [],
  wrapper: readonly string[] = [],
): RunningProgram {
  const command = [...wrapper, process.execPath, MAIN, ...argv];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: COMPILE_CACHE, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const watcher of watchers) watcher();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    pid: child.pid ?? 0,
    child,
    output: () => ({ stdout, stderr }),
    printed: (text) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!stdout.includes(text)) return;
          watchers.delete(check);
          resolve();
        };
        watchers.add(check);
        check();
        ended.then(
          () =>
            reject(
              new Error(
                `the program ended without printing ${JSON.stringify(text)}:\n${stdout}\n${stderr}`,
              ),
            ),
          reject,
        );
      }),
    ended,
  };
}

/**
 * A wrapper that gives the program a private file system at `directory`, in memory and of exactly
 * that size. It disappears when the program ends. A write beyond its size fails with ENOSPC.
 */
export function onTmpfs(directory: string, sizeBytes: number): string[] {
  const script = 'mkdir -p "$1" && mount -t tmpfs -o size="$2" tmpfs "$1" && shift 2 && exec "$@"';
  return [...inMountNamespace(), 'sh', '-c', script, 'sh', directory, String(sizeBytes)];
}

/** Runs `app/main.ts` to its end. */
export function runProgram(
  environment: Record<string, string>,
  argv: readonly string[] = [],
): Promise<Ended> {
  return startProgram(environment, argv).ended;
}

/** Lines of the program's structured log. */
export function logLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A temporary directory with its own removal. */
export function temporaryDirectory(prefix: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `${prefix}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Environment by which the AWS SDK in the program talks to test servers and nowhere else. */
export function awsEnvironment(endpoints: {
  s3: string;
  cloudwatch?: string;
}): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test-secret',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    S3_FORCE_PATH_STYLE: 'true',
    REGION: 'eu-central-1',
    ...(endpoints.cloudwatch === undefined
      ? { METRICS_NAMESPACE: '' }
      : { AWS_ENDPOINT_URL_CLOUDWATCH: endpoints.cloudwatch, METRICS_INTERVAL_SECONDS: '1' }),
  };
}
