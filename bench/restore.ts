/**
 * `npm run bench:restore [MiB] [rounds] [apart]` measures the speed of `restore` as a ratio in one
 * run. It compares with plain `myloader -d` on the fully downloaded and unpacked directory, with
 * the same number of threads, into the same server. Plain myloader's download does not count; ours
 * does.
 *
 * Processor seconds show the cause of a difference. `verify --full` shows the cost of fetching,
 * unpacking and hashing alone. Server, S3 server and programs share this machine's processors. With
 * `apart` the server has the first processor alone and the rest share the others, as if the server
 * were another machine.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { formatBytes } from '../app/observe/format.ts';
import { BUCKET, startWorld } from '../test/e2e/world.ts';
import { dropAll, makeBackup, restoreInto } from '../test/restore/setting.ts';
import { objectsOf, readOnlyManifest, unpackBackup } from '../test/support/backup-folder.ts';
import { createBulkDatabase } from '../test/support/mariadb/dataset.ts';
import { startMariaDb } from '../test/support/mariadb/harness.ts';
import { loadWithMyloader } from '../test/support/mariadb/tools.ts';
import { runProgram } from '../test/support/program.ts';

const [megabytes = 400, rounds = 3] = process.argv.slice(2, 4).map(Number);
const isApart = process.argv[4] === 'apart';
const THREADS = 2;
const CHUNK_MIB = 4;
const BUDGET_MIB = 64;

/**
 * Seconds of the clock, and processor seconds of MariaDB, of the S3 server with this bench, and of
 * the loading programs.
 */
type Seconds = { wall: number; server: number; s3: number; loading: number };

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

async function timed(work: () => Promise<void>): Promise<Seconds> {
  const now = () => {
    const self = processorSeconds('self');
    return {
      wall: performance.now() / 1000,
      server: processorSeconds(copy.pid).own,
      s3: self.own,
      loading: self.children,
    };
  };
  const from = now();
  await work();
  const to = now();
  return {
    wall: to.wall - from.wall,
    server: to.server - from.server,
    s3: to.s3 - from.s3,
    loading: to.loading - from.loading,
  };
}

/** With all its threads; what it starts is bound there too. */
function bindTo(pid: number, processors: string): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', processors, String(pid)], {
    stdio: 'ignore',
  });
}

function describeSeconds({ wall, server, s3, loading }: Seconds): string {
  return (
    `${wall.toFixed(1)} s (processors: server ${server.toFixed(1)} s, loading ` +
    `${loading.toFixed(1)} s, S3 ${s3.toFixed(1)} s)`
  );
}

function medians(all: readonly Seconds[]): Seconds {
  const of = (name: keyof Seconds) => median(all.map((each) => each[name]));
  return { wall: of('wall'), server: of('server'), s3: of('s3'), loading: of('loading') };
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN;
}

const world = await startWorld();
const copy = await startMariaDb();
try {
  await createBulkDatabase(world.db, { name: 'bulk', megabytes, tables: 6 });
  await makeBackup(world, { CHUNK_FILE_SIZE_MB: String(CHUNK_MIB) });
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  const unpacked = join(world.directory, 'unpacked');
  await unpackBackup(objectsOf(world.s3, BUCKET), manifest, unpacked);
  if (isApart) {
    bindTo(copy.pid, '0');
    bindTo(process.pid, `1-${availableParallelism() - 1}`);
  }
  const plain: Seconds[] = [];
  const ours: Seconds[] = [];
  const reading: Seconds[] = [];
  for (let round = 0; round < rounds; round += 1) {
    plain.push(
      await timed(async () => {
        const { exitCode, output } = await loadWithMyloader(copy, unpacked, {
          threads: THREADS,
          timeoutMs: 3_600_000,
        });
        if (exitCode !== 0) throw new Error(output);
      }),
    );
    await dropAll(copy);
    ours.push(
      await timed(async () => {
        const { code, stdout } = await restoreInto(world, copy, [], {
          THREADS: String(THREADS),
          STAGING_LIMIT_MB: String(BUDGET_MIB),
          LOG_LEVEL: 'INFO',
        });
        if (code !== 0) throw new Error(stdout);
      }),
    );
    await dropAll(copy);
    reading.push(
      await timed(async () => {
        const { code, stdout } = await runProgram(world.environment(), [
          'verify',
          'latest',
          '--full',
        ]);
        if (code !== 0) throw new Error(stdout);
      }),
    );
    console.log(
      `plain ${describeSeconds(medians(plain.slice(-1)))}\nours  ` +
        `${describeSeconds(medians(ours.slice(-1)))}\nreads ` +
        `${describeSeconds(medians(reading.slice(-1)))}`,
    );
  }
  const ratio = medians(ours).wall / medians(plain).wall;
  console.log(
    `${formatBytes(manifest.totals.dumpedBytes)} through ${BUDGET_MIB} MiB, ${THREADS} ` +
      `threads${isApart ? ', server apart' : ''}, medians: ratio ${ratio.toFixed(2)}\nplain ` +
      `${describeSeconds(medians(plain))}\nours  ${describeSeconds(medians(ours))}\nverify ` +
      `--full ${describeSeconds(medians(reading))}`,
  );
  rmSync(unpacked, { recursive: true });
} finally {
  await copy.stop();
  await world.stop();
}
