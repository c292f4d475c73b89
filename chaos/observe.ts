import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Manifest, manifestSchema } from '../app/manifest/schema.ts';
import { objectsOf, unpackBackup } from '../test/support/backup-folder.ts';
import { generationOf } from '../test/support/installed-tools.ts';
import {
  describeServer,
  differences,
  type ServerDescription,
} from '../test/support/mariadb/compare.ts';
import { loadAsSql } from '../test/support/mariadb/load-as-sql.ts';
import { loadWithMyloader } from '../test/support/mariadb/tools.ts';
import { processesWith } from '../test/support/processes.ts';
import { logLines, runProgram } from '../test/support/program.ts';
import type { S3Server } from '../test/support/s3/server.ts';
import { databasesOf, dropDatabases } from './database.ts';
import { unexplained } from './judge.ts';
import type { Lab } from './lab.ts';
import type { Others } from './others.ts';
import type { FaultPlan, Plan } from './plan.ts';
import { BUCKET, FOREIGN_FILE } from './scene.ts';

/** What a run has left. */
export type Left = {
  readonly s3: S3Server;
  readonly others: Others;
  readonly staging: string;
  /** Of this run alone: staging, bucket and all. */
  readonly directory: string;
  readonly environment: Record<string, string>;
  readonly plan: Plan;
  readonly struck: readonly FaultPlan[];
};

export type Rest = {
  readonly processes: readonly string[];
  readonly manifests: readonly string[];
  readonly uploads: readonly string[];
  readonly damage: readonly string[];
  /** The file that a fault has put into staging is there. */
  readonly foreignInStaging: boolean;
};

/** Names in staging but for the one that a fault has put there. */
export function listStaging(staging: string): string[] {
  return existsSync(staging) ? readdirSync(staging).filter((name) => name !== FOREIGN_FILE) : [];
}

/** `goneMilliseconds`: how long processes may take to be gone. */
export async function lookAtRest(
  { s3, others, staging, struck }: Left,
  goneMilliseconds: number,
): Promise<Rest> {
  const deadline = performance.now() + goneMilliseconds;
  while (processesWith(staging).length > 0 && performance.now() < deadline) await sleep(10);
  const placed =
    struck.some(({ kind }) => kind === 'disk-foreign-file') &&
    !struck.some(({ kind }) => kind === 'disk-emptied');
  const foreign = join(staging, FOREIGN_FILE);
  const foreignInStaging = existsSync(foreign) && readFileSync(foreign, 'utf8') === 'mine';
  const keys = (await s3.objects(BUCKET)).map(({ key }) => key);
  // S3 itself kept these from being aborted; a lifecycle rule clears them.
  const unabortable = new Set(
    s3.requests
      .filter(({ operation, status }) => operation === 'AbortMultipartUpload' && status !== 204)
      .map(({ key }) => key),
  );
  const uploads = (await s3.multipartUploads(BUCKET)).map(({ key }) => key);
  return {
    processes: processesWith(staging).map(
      ({ pid, state, commandLine }) => `${pid} ${state} ${commandLine}`,
    ),
    manifests: keys.filter((key) => others.isNew(key) && key.endsWith('/manifest.json')),
    uploads: uploads.filter((key) => others.isNew(key) && !unabortable.has(key)),
    damage: [...(await others.damage()), ...(placed && !foreignInStaging ? [foreign] : [])],
    foreignInStaging,
  };
}

/**
 * Checks the backup as its owner does on the day of need: `verify --full`, then plain myloader into
 * an empty server. Compares the loaded data with the source.
 * @returns what is wrong; undefined where there is no manifest.
 */
export async function lookAtBackup(
  lab: Lab,
  left: Left,
  manifests: readonly string[],
  before: ServerDescription,
): Promise<string[] | undefined> {
  const [key] = manifests;
  if (key === undefined) return undefined;
  const id = key.split('/').at(-2) ?? '';
  const [verified, loaded] = await Promise.all([
    runProgram(left.environment, ['verify', id, '--full']),
    loadAndCompare(lab, left, key, before).catch((error: unknown) => [String(error)]),
  ]);
  const faults =
    verified.code === 0
      ? []
      : [
          `verify --full ended with ${verified.code}: ` +
            `${lastLine(verified.stdout + verified.stderr)}`,
        ];
  return [...faults, ...loaded];
}

async function loadAndCompare(
  lab: Lab,
  left: Left,
  key: string,
  before: ServerDescription,
): Promise<string[]> {
  const { s3, plan, struck, directory } = left;
  const manifest = manifestSchema.parse(
    JSON.parse((await s3.readObject(BUCKET, key)).toString('utf8')),
  );
  const unpacked = join(directory, 'unpacked');
  await unpackBackup(objectsOf(s3, BUCKET), manifest, unpacked);
  await dropDatabases(lab.target);
  const faults = await load(lab, unpacked, manifest);
  const after = await describeServer(lab.target, databasesOf(plan));
  return [
    ...faults,
    ...unexplained(differences(before, after), struck),
    ...(manifest.staging.peakStagedBytes > manifest.staging.budgetBytes
      ? ['the manifest records a peak above the budget']
      : []),
  ];
}

/**
 * Loads a dump of 0.10 with plain myloader, and a dump of 1.x as plain SQL: myloader 1.x loses the
 * SQL modes of programs, which would hide what the backup holds.
 * @throws the server's error, with the file's name.
 */
async function load({ target }: Lab, directory: string, manifest: Manifest): Promise<string[]> {
  if (generationOf() === 'modern') {
    await loadAsSql(target, directory, manifest);
    return [];
  }
  const { exitCode, problems } = await loadWithMyloader(target, directory);
  return [
    ...(exitCode === 0 ? [] : [`myloader ended with ${exitCode}`]),
    ...problems.map((line) => `myloader: ${line}`),
  ];
}

/** A run like any other in the same staging directory, with nothing going wrong. */
export async function runAgain({ environment, staging }: Left) {
  const { code, stdout, stderr } = await runProgram(environment);
  const failed = logLines(stdout).find(({ event }) => event === 'failed');
  return {
    exitCode: code,
    left: listStaging(staging),
    said: String(failed?.reason ?? lastLine(stdout + stderr)),
  };
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
