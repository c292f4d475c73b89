import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startCloudWatch } from '../test/support/cloudwatch.ts';
import { describeServer } from '../test/support/mariadb/compare.ts';
import { awsEnvironment, logLines, startProgram } from '../test/support/program.ts';
import { startS3Server } from '../test/support/s3/server.ts';
import { sampleDirectory } from '../test/support/sampler.ts';
import { databasesOf, fillDatabases } from './database.ts';
import { endOf } from './end-of.ts';
import { unleash } from './faults.ts';
import type { Observation } from './judge.ts';
import type { Lab } from './lab.ts';
import { type Left, listStaging, lookAtBackup, lookAtRest, runAgain } from './observe.ts';
import { placeOthers } from './others.ts';
import type { Plan } from './plan.ts';
import { BUCKET, type Scene, SOURCE } from './scene.ts';

const MIB = 1024 * 1024;
/**
 * Every run ends within this time: retries, the server's timeouts and ten seconds of a lock in a
 * row.
 */
const BOUND_MILLISECONDS = 75_000;
/** Processes go when the kernel gets to it. */
const GONE_MILLISECONDS = 5000;

export type RunResult = { readonly seen: Observation; readonly log: string };

/** Carries out the plan with the real program and inspects everything from outside afterwards. */
export async function runPlan(lab: Lab, plan: Plan): Promise<RunResult> {
  const directory = join(lab.directory, `run-${plan.run}`);
  const cleanups: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
  try {
    // 1. The world: data, servers, things of others.
    const disk = join(directory, 'disk');
    mkdirSync(disk, { recursive: true });
    if (plan.smallDiskMiB !== undefined) {
      mountTmpfs(disk, plan.smallDiskMiB * MIB);
      cleanups.push(() => execFileSync('umount', ['--lazy', disk]));
    }
    await fillDatabases(lab.source(), plan);
    const before = await describeServer(lab.source(), databasesOf(plan));
    const s3 = await startS3Server({ dir: join(directory, 's3'), buckets: [BUCKET] });
    cleanups.push(() => s3.close());
    const cloudwatch = await startCloudWatch();
    cleanups.push(() => cloudwatch.close({ tolerant: true }));
    const others = await placeOthers(s3, disk);
    s3.setBandwidth(plan.bandwidthBytesPerSecond);

    // 2. The run, and what goes wrong.
    const staging = join(disk, 'staging');
    const db = lab.source();
    const environment = environmentOf(plan, {
      staging,
      port: db.port,
      password: db.password,
      s3: s3.endpoint,
      cloudwatch: cloudwatch.endpoint,
    });
    const startedAt = performance.now();
    const program = startProgram(environment);
    const sampler = sampleDirectory(staging);
    cleanups.push(sampler.stop);
    const end = new AbortController();
    const undone: (() => unknown)[] = [];
    const scene: Scene = {
      plan,
      program,
      s3,
      cloudwatch,
      db,
      staging,
      disk,
      ownConnections: new Set(),
      onEnd: (undo) => undone.push(undo),
      isOver: () => program.child.exitCode !== null || program.child.signalCode !== null,
      over: end.signal,
    };
    const struckOnes = unleash(scene);
    const { ended, overdue } = await endOf(program, BOUND_MILLISECONDS);
    const seconds = (performance.now() - startedAt) / 1000;
    sampler.stop();
    end.abort();

    // 3. Afterwards: faults are over, and everything is looked at.
    const struck = await struckOnes();
    await Promise.all(undone.map((undo) => undo()));
    s3.faults.clear();
    s3.setBandwidth(undefined);
    cloudwatch.fail('none');
    const wasKilled = struck.some(({ kind }) => kind === 'db-kill' || kind === 'db-restart');
    if (wasKilled) await lab.renewSource();
    const left: Left = { s3, others, staging, directory, environment, plan, struck };
    const rest = await lookAtRest(left, GONE_MILLISECONDS);
    const faultsOfBackup = await lookAtBackup(lab, left, rest.manifests, before);
    const foreign = rest.foreignInStaging;
    const failures = logLines(ended.stdout).filter(({ event }) => event === 'failed');
    const wasAbrupt =
      ended.signal === 'SIGKILL' ||
      struck.some(({ kind }) => kind === 'us-term-twice') ||
      ended.code === 5;
    const again = wasAbrupt && !foreign && !wasKilled && !overdue;
    const seen: Observation = {
      plan,
      struck,
      exitCode: ended.code,
      signal: ended.signal,
      seconds,
      overdue,
      failures: failures.map(({ reason, exitCode }) => ({
        reason: String(reason),
        exitCode: Number(exitCode),
      })),
      spokeNothing: ended.stdout === '' && ended.stderr === '',
      printedSecret: `${ended.stdout}${ended.stderr}`.includes(db.password),
      peakStagedBytes: sampler.peakBytes() - (foreign ? 4096 : 0),
      leftInStaging: listStaging(staging),
      processes: rest.processes,
      manifests: rest.manifests,
      uploads: rest.uploads,
      damage: rest.damage,
      faultsOfBackup,
      nextRun: again ? await runAgain(left) : undefined,
    };
    return { seen, log: `${ended.stdout}${ended.stderr}` };
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function mountTmpfs(directory: string, sizeBytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', directory]);
}

function environmentOf(
  plan: Plan,
  at: { staging: string; port: number; password: string; s3: string; cloudwatch: string },
): Record<string, string> {
  return {
    ...awsEnvironment({ s3: at.s3, cloudwatch: at.cloudwatch }),
    BUCKET,
    SOURCE,
    HOST: '127.0.0.1',
    PORT: String(at.port),
    USERNAME: 'root',
    PASSWORD: at.password,
    OUTPUTDIR: at.staging,
    STAGING_LIMIT_MB: String(plan.budgetMiB),
    CHUNK_FILE_SIZE_MB: String(plan.chunkMiB),
    PART_SIZE_MB: String(plan.partMiB),
    THREADS: String(plan.threads),
    UPLOAD_CONCURRENCY: String(plan.uploadConcurrency),
    UPLOAD_RETRY_SECONDS: String(plan.retrySeconds),
    COMPRESS: plan.compression,
  };
}
