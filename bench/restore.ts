/**
 * `npm run bench:restore -- [MiB] [rounds] [apart] [before=<commit>]` measures `restore` against
 * what people do by hand, in the same run: all objects are downloaded and unpacked, then plain
 * `myloader -d` loads the directory with as many threads into the same server.
 *
 * `before=<commit>`: the program at that commit takes part, from a work tree of its own. `apart`:
 * the server has the first processor alone and the rest share the others, as if the server were
 * another machine. Processor seconds show the cause of a difference.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { formatBytes } from '../app/observe/format.ts';
import { BUCKET, startWorld } from '../test/e2e/world.ts';
import { dropAll, into, makeBackup } from '../test/restore/setting.ts';
import { readOnlyManifest, unpackBackup } from '../test/support/backup-folder.ts';
import { createBulkDatabase } from '../test/support/mariadb/dataset.ts';
import { startMariaDb } from '../test/support/mariadb/harness.ts';
import { loadWithMyloader } from '../test/support/mariadb/tools.ts';
import { execProgram } from './restore-program.ts';

const words = process.argv.slice(2);
const [megabytes = 400, rounds = 3] = words.filter((word) => /^\d+$/.test(word)).map(Number);
const isApart = words.includes('apart');
const before = words.find((word) => word.startsWith('before='))?.slice('before='.length);
const THREADS = 2;
const CHUNK_MIB = 4;
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Goals of the restore: wall clock ÷ that of the way by hand, and processor seconds a GB. */
const WALL_GOAL = isApart ? 0.9 : 1.15;
const PROCESSOR_GOAL_PER_GB = 5.5;

/** Of the clock, and processor seconds of MariaDB and of the loading programs. */
type Seconds = { wall: number; server: number; loading: number };
const NAMES = ['download and unpack', 'plain myloader', 'restore', 'restore before'] as const;
type Name = (typeof NAMES)[number];

const TICKS_PER_SECOND = 100;
/** proc_pid_stat(5): utime, stime, and those of children that have ended. */
function processorSeconds(pid: number | 'self'): { own: number; children: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
  return {
    own: (user + system) / TICKS_PER_SECOND,
    children: (childUser + childSystem) / TICKS_PER_SECOND,
  };
}

function now(): Seconds {
  return {
    wall: performance.now() / 1000,
    server: processorSeconds(copy.pid).own,
    loading: processorSeconds('self').children,
  };
}

const measured = new Map<Name, Seconds[]>();

async function measure(name: Name, work: () => Promise<unknown>): Promise<void> {
  const from = now();
  await work();
  const to = now();
  const seconds = {
    wall: to.wall - from.wall,
    server: to.server - from.server,
    loading: to.loading - from.loading,
  };
  measured.set(name, [...(measured.get(name) ?? []), seconds]);
  console.log(`${name}: ${describeSeconds(seconds)}`);
}

function describeSeconds({ wall, server, loading }: Seconds): string {
  const processors = `server ${server.toFixed(1)} s, loading ${loading.toFixed(1)} s`;
  return `${wall.toFixed(1)} s (processors: ${processors})`;
}

function median(name: Name, of: keyof Seconds): number {
  const values = (measured.get(name) ?? []).map((each) => each[of]);
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN;
}

/** With all its threads; what it starts is bound there too. */
function bindTo(pid: number, processors: string): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', processors, String(pid)], {
    stdio: 'ignore',
  });
}

function printGoal(what: string, value: number, goal: number): void {
  const mark = value <= goal ? 'met' : 'NOT met';
  console.log(`${what}: ${value.toFixed(2)}, goal ≤ ${goal} (${mark})`);
}

const world = await startWorld();
const copy = await startMariaDb();
const worktree = join(world.directory, 'before');
try {
  if (before !== undefined) {
    execFileSync('git', ['-C', ROOT, 'worktree', 'add', '--detach', worktree, before], {
      stdio: 'ignore',
    });
    symlinkSync(join(ROOT, 'node_modules'), join(worktree, 'node_modules'));
  }
  await createBulkDatabase(world.db, { name: 'bulk', megabytes, tables: 6 });
  await makeBackup(world, { CHUNK_FILE_SIZE_MB: String(CHUNK_MIB) });
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  const unpacked = join(world.directory, 'unpacked');
  const client = new S3Client({
    endpoint: world.s3.endpoint,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret' },
  });
  const fetch = async (Key: string) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return Body as unknown as NodeJS.ReadableStream;
  };
  if (isApart) {
    bindTo(copy.pid, '0');
    bindTo(process.pid, `1-${availableParallelism() - 1}`);
  }
  const environment = into(world, copy, {
    THREADS: String(THREADS),
    STAGING_LIMIT_MB: '64',
    LOG_LEVEL: 'INFO',
  });
  for (let round = 0; round < rounds; round += 1) {
    rmSync(unpacked, { recursive: true, force: true });
    await measure('download and unpack', () => unpackBackup(fetch, manifest, unpacked));
    await measure('plain myloader', async () => {
      const options = { threads: THREADS, timeoutMs: 3_600_000 };
      const { exitCode, output } = await loadWithMyloader(copy, unpacked, options);
      if (exitCode !== 0) throw new Error(output);
    });
    await dropAll(copy);
    await measure('restore', () => execProgram(ROOT, environment));
    await dropAll(copy);
    if (before === undefined) continue;
    await measure('restore before', () => execProgram(worktree, environment));
    await dropAll(copy);
  }
  const gigabytes = manifest.totals.dumpedBytes / 1e9;
  const byHand = median('download and unpack', 'wall') + median('plain myloader', 'wall');
  console.log(
    `\n${formatBytes(manifest.totals.dumpedBytes)}, ${THREADS} threads` +
      `${isApart ? ', server apart' : ', server on the same processors'}, medians of ${rounds}`,
  );
  printGoal(
    'wall ÷ download, unpack, plain myloader',
    median('restore', 'wall') / byHand,
    WALL_GOAL,
  );
  printGoal(
    'processor seconds a GB',
    median('restore', 'loading') / gigabytes,
    PROCESSOR_GOAL_PER_GB,
  );
  if (before !== undefined) {
    const ratio = median('restore', 'wall') / median('restore before', 'wall');
    const perGb = median('restore before', 'loading') / gigabytes;
    console.log(
      `wall ÷ the program at ${before}: ${ratio.toFixed(2)}; ` +
        `it took ${perGb.toFixed(1)} processor seconds a GB`,
    );
  }
  client.destroy();
} finally {
  if (before !== undefined)
    execFileSync('git', ['-C', ROOT, 'worktree', 'remove', '--force', worktree], {
      stdio: 'ignore',
    });
  await copy.stop();
  await world.stop();
}
