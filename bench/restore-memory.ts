/**
 * `npm run bench:restore-memory [MiB ...]` measures the memory of `restore` by the size of the
 * backup: the peak resident set of our process (VmHWM), sampled from outside. It should not grow
 * with the backup.
 */
import { readFileSync } from 'node:fs';
import { formatBytes, formatDuration } from '../app/observe/format.ts';
import { startWorld } from '../test/e2e/world.ts';
import { dropAll, into, makeBackup } from '../test/restore/setting.ts';
import { createBulkDatabase } from '../test/support/mariadb/dataset.ts';
import { startMariaDb } from '../test/support/mariadb/harness.ts';
import { startProgram } from '../test/support/program.ts';

const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [100, 400];
const SETTINGS = { THREADS: '2', LOG_LEVEL: 'INFO' };
const LOOK_MILLISECONDS = 50;

function peakBytes(pid: number): number {
  try {
    const [, kib] =
      /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0; // gone
  }
}

const world = await startWorld();
const copy = await startMariaDb();
try {
  for (const megabytes of sizes) {
    const name = `bulk${megabytes}`;
    await createBulkDatabase(world.db, { name, megabytes, tables: 6 });
    const source = { SOURCE: name, DATABASES: name };
    await makeBackup(world, { ...source, CHUNK_FILE_SIZE_MB: '4' });
    await world.db.query(`DROP DATABASE ${name}`);
    const since = performance.now();
    const program = startProgram(into(world, copy, { ...source, ...SETTINGS }), ['restore']);
    let peak = 0;
    const look = setInterval(() => {
      peak = Math.max(peak, peakBytes(program.pid));
    }, LOOK_MILLISECONDS);
    const { code, stdout } = await program.ended;
    clearInterval(look);
    if (code !== 0) throw new Error(stdout);
    await dropAll(copy);
    const seconds = (performance.now() - since) / 1000;
    console.log(
      `${megabytes} MiB: peak resident set ${formatBytes(peak)}, ${formatDuration(seconds)}`,
    );
  }
} finally {
  await copy.stop();
  await world.stop();
}
