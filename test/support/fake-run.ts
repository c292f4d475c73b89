import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { BUCKET, leftInStaging, manifestKeys, type World } from '../e2e/world.ts';
import {
  type FakeScript,
  type FakeStep,
  UPSTREAM_VERSION,
  writeFakeMydumper,
} from './fake-mydumper.ts';
import { processesWith } from './processes.ts';
import { type Ended, logLines, type RunningProgram, startProgram } from './program.ts';

export type FakeRunOptions = {
  readonly environment?: Record<string, string>;
} & Partial<Pick<FakeScript, 'version' | 'versionCommand' | 'connection'>>;

/**
 * Starts a backup of the world's server by a fake mydumper that takes these steps; killed with the
 * test.
 */
export function startFake(
  world: World,
  steps: readonly FakeStep[],
  { environment = {}, ...script }: FakeRunOptions = {},
): RunningProgram {
  const binary = writeFakeMydumper(join(world.directory, 'fake'), {
    version: UPSTREAM_VERSION,
    ...script,
    steps,
  });
  const program = startProgram(
    world.environment({ MYDUMPER_BIN: binary, COMPRESS: 'none', ...environment }),
  );
  onTestFinished(() => void program.child.kill('SIGKILL'));
  return program;
}

export function runFake(...args: Parameters<typeof startFake>): Promise<Ended> {
  return startFake(...args).ended;
}

/**
 * Expects that the run failed for this reason only and logged it once. It left no backup, no
 * upload, no process, and in staging only `left`.
 */
export async function expectFailure(
  world: World,
  { code, stdout }: Ended,
  exitCode: number,
  reason: RegExp,
  left: readonly string[] = [],
): Promise<void> {
  const failures = logLines(stdout).filter(({ event }) => event === 'failed');
  expect(failures).toEqual([
    expect.objectContaining({ exitCode, reason: expect.stringMatching(reason) }),
  ]);
  expect(code).toBe(exitCode);
  expect(await manifestKeys(world)).toEqual([]);
  expect(await world.s3.multipartUploads(BUCKET)).toEqual([]);
  expect(leftInStaging(world)).toEqual(left);
  expect(processesWith(world.directory)).toEqual([]);
  expect(world.cloudwatch.sum('BackupFailed')).toBe(1);
  expect(world.cloudwatch.sum('BackupSucceeded')).toBe(0);
}
