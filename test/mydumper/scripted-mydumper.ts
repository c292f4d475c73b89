import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { MydumperEvent } from '../../app/mydumper/log-reader.ts';
import { type MydumperProcess, startMydumper } from '../../app/mydumper/process.ts';
import { groupMembers, readProcess } from '../../app/staging/process-files.ts';
import { elsewhere } from '../support/tracked-directory.ts';

export const PATH = process.env.PATH ?? '';
export const WAIT = { timeout: 20_000, interval: 5 };
const running: MydumperProcess[] = [];

/** Kills the programs that a test started; for `afterEach`. */
export async function killStarted(): Promise<void> {
  for (const mydumper of running.splice(0)) {
    mydumper.kill();
    await mydumper.exited;
  }
}

/** Waits until a process is stopped. */
export const isStopped = (pid: number) =>
  vi.waitFor(() => expect(readProcess(pid)?.state).toBe('T'), WAIT);

/** Starts a program in place of mydumper. It stays stopped. */
export async function startStopped(binary: string, argv: readonly string[] = []) {
  const events: MydumperEvent[] = [];
  const mydumper = await startMydumper(binary, argv, PATH, (event) => events.push(event));
  running.push(mydumper);
  await isStopped(mydumper.pid);
  return { mydumper, events };
}

/** Writes a shell script to run in place of mydumper, with a blank in its path. */
export function writeScript(script: string): string {
  const binary = join(elsewhere(), 'my dumper');
  writeFileSync(binary, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return binary;
}

/** Starts a shell script in place of mydumper and lets it run. */
export async function start(script: string, ...argv: readonly string[]) {
  const { mydumper, events } = await startStopped(writeScript(script), argv);
  process.kill(mydumper.pid, 'SIGCONT');
  const messages = () => events.flatMap((event) => ('message' in event ? [event.message] : []));
  const said = (message: string) => vi.waitFor(() => expect(messages()).toContain(message), WAIT);
  return { mydumper, events, messages, said };
}

/** Waits until a process group is empty. */
export const isGone = (pid: number) =>
  vi.waitFor(() => expect(groupMembers(pid)).toEqual([]), WAIT);
