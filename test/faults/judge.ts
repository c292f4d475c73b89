import { join } from 'node:path';
import { expect } from 'vitest';
import { EXIT_MEANINGS } from '../../app/contract.ts';
import { manifestSchema } from '../../app/manifest/schema.ts';
import { BUCKET, leftInStaging, manifestKeys } from '../e2e/world.ts';
import { objectsOf, unpackBackup } from '../support/backup-folder.ts';
import { processesWith } from '../support/processes.ts';
import { type Ended, logLines, type RunningProgram } from '../support/program.ts';
import type { FaultCase } from './case.ts';
import { expectOthersUntouched, isForeign } from './others.ts';
import { type Rows, rowsOfDump } from './rows.ts';
import { type Setting, until } from './setting.ts';

/**
 * The files that the next run clears: those with names that mydumper gives, and the mark of our
 * staging directory.
 */
const LEFTOVER = /^(?:metadata(?:\.partial)?|[\w-]+(?:\.[\w-]+)*\.sql|\.mydumper-fargate\.json)$/;
const LONGEST_SECONDS = 60;

/** Waits for the end of a run, and for no longer than it may take. */
export async function endInTime(
  { child, ended }: RunningProgram,
  seconds = LONGEST_SECONDS,
): Promise<Ended> {
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, seconds * 1000);
  const end = await ended.finally(() => clearTimeout(deadline));
  expect({ late, log: late ? end.stdout : '' }, `not ended after ${seconds} s`).toEqual({
    late: false,
    log: '',
  });
  return end;
}

/**
 * Compares the end of a run with the rules for all runs and for this one. `source` is the content
 * of the database.
 */
export async function judge(
  what: FaultCase,
  setting: Setting,
  { code, stdout, stderr }: Ended,
  source: Rows,
): Promise<void> {
  const log = logLines(stdout);
  const expected = what.exits.some((exit) => exit === code);
  expect({ code, output: expected ? '' : stdout + stderr }).toEqual({ code, output: '' });
  expect(EXIT_MEANINGS.map(([documented]) => documented)).toContain(code);
  if (code === 0) {
    await expectWholeBackup(setting, source);
    expect(leftInStaging(setting.world)).toEqual([]);
  } else {
    await expectClearFailure(what, setting, Number(code), log);
    const manifests = await ourManifests(setting);
    if (what.manifestMayExist !== true) expect(manifests).toEqual([]);
    else if (manifests.length > 0) await expectWholeBackup(setting, source);
  }

  const uploads = await setting.world.s3.multipartUploads(BUCKET);
  expect(uploads.filter(({ key }) => !isForeign(key))).toEqual([]);
  await expectNoProcess(setting, what.abrupt === true);
  await expectOthersUntouched(setting.world);
  if (what.withoutMetrics !== true) {
    expect(setting.world.cloudwatch.sum('BackupSucceeded')).toBe(code === 0 ? 1 : 0);
    expect(setting.world.cloudwatch.sum('BackupFailed')).toBe(code === 0 ? 0 : 1);
  }
  for (const fault of setting.strikes)
    expect(fault.hits, 'the fault has struck').toBeGreaterThan(0);
  await what.check?.(setting, log);
}

/** The kernel ends mydumper a moment after us when we had no time to. */
async function expectNoProcess({ world }: Setting, abrupt: boolean): Promise<void> {
  const left = () => processesWith(world.staging);
  if (abrupt) await until('mydumper is gone', () => left().length === 0, 10);
  expect(left()).toEqual([]);
}

async function ourManifests({ world }: Setting): Promise<string[]> {
  return (await manifestKeys(world)).filter((key) => !isForeign(key));
}

/**
 * Expects one manifest, each file of it with its size and SHA-256, and in the files every row of
 * the source.
 */
async function expectWholeBackup(setting: Setting, source: Rows): Promise<void> {
  const { world } = setting;
  const [key = '', ...more] = await ourManifests(setting);
  expect({ key, more }).toEqual({ key: expect.stringMatching(/manifest\.json$/), more: [] });
  const manifest = manifestSchema.parse(
    JSON.parse((await world.s3.readObject(BUCKET, key)).toString('utf8')),
  );
  const target = join(world.directory, 'unpacked');
  await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
  expect(await rowsOfDump(target)).toEqual(source);
  expect(manifest.staging.peakStagedBytes).toBeLessThanOrEqual(manifest.staging.budgetBytes);
}

async function expectClearFailure(
  what: FaultCase,
  setting: Setting,
  exitCode: number,
  log: readonly Record<string, unknown>[],
): Promise<void> {
  const failed = { exitCode, reason: expect.stringMatching(what.reason ?? /^interrupted by SIG/) };
  const failures = log.filter(({ event }) => event === 'failed');
  if (what.abrupt !== true || failures.length > 0)
    expect(failures).toEqual([expect.objectContaining(failed)]);
  expect(JSON.stringify(log)).not.toContain(JSON.stringify(setting.db.password).slice(1, -1));
  const mayKeep = what.keepsFiles === true || what.abrupt === true;
  const left = leftInStaging(setting.world);
  expect(left.filter((name) => !mayKeep || !LEFTOVER.test(name))).toEqual(what.leaves ?? []);
}
