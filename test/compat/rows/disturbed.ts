import { join } from 'node:path';
import { leftInStaging } from '../../e2e/world.ts';
import { fill } from '../../faults/disk.ts';
import { endInTime } from '../../faults/judge.ts';
import { SLOW_BYTES_PER_SECOND, until } from '../../faults/setting.ts';
import { dropAll, into } from '../../restore/setting.ts';
import { describeServer, type ServerDescription } from '../../support/mariadb/compare.ts';
import { createBulkDatabase, createWideRows } from '../../support/mariadb/dataset.ts';
import { processesWith } from '../../support/processes.ts';
import { onTmpfs, type RunningProgram, runProgram, startProgram } from '../../support/program.ts';
import type { Pair, Row } from '../row.ts';
import {
  backUp,
  backupOf,
  endOfDisturbed,
  expectSame,
  expectSameAsSql,
  manifestsIn,
  reasonOf,
} from '../runs.ts';
import { once } from './loads.ts';

const MIB = 1024 * 1024;

const bulk = once(async ({ db }): Promise<ServerDescription> => {
  await createBulkDatabase(db, { name: 'bulk', megabytes: 10, tables: 2, rowBytes: 1000 });
  return describeServer(db, ['bulk']);
});

/**
 * Starts a backup on a slow network and waits until staging is full, in the middle of the tables.
 */
async function inTheMiddle(pair: Pair, id: string): Promise<RunningProgram> {
  const { world } = pair;
  world.s3.setBandwidth(SLOW_BYTES_PER_SECOND);
  const environment = { SOURCE: id, DATABASES: 'bulk', COMPRESS: 'none', STAGING_LIMIT_MB: '6' };
  const program = startProgram(world.environment(environment));
  await paused(pair, program);
  return program;
}

/** Waits until staging is full. @throws Refused or Error when the backup ends before that. */
async function paused({ world }: Pair, program: RunningProgram): Promise<void> {
  await program.printed('"event":"paused"').catch(async (error: unknown) => {
    await backupOf(world, await program.ended);
    throw error;
  });
}

const mydumperOf = ({ world }: Pair) =>
  processesWith(`--outputdir=${world.staging}`).map(({ pid }) => pid);

/**
 * A row whose run must end with an intact backup, or with no backup and a reason. The note says
 * which.
 */
function disturbed(id: string, promise: string, strike: (pair: Pair) => Promise<void>): Row {
  return {
    id,
    part: 'backup',
    promise,
    run: async (pair) => {
      const before = await bulk(pair);
      const manifests = await manifestsIn(pair.world);
      const program = await inTheMiddle(pair, id);
      await strike(pair);
      pair.world.s3.setBandwidth(undefined);
      const end = await endOfDisturbed(pair.world, await endInTime(program), manifests);
      if (typeof end === 'string') return end;
      await expectSameAsSql(pair.world, pair.copy, end, before);
      return 'the backup is made, and is whole';
    },
  };
}

function signalled(signal: NodeJS.Signals): Row {
  return disturbed(
    `mydumper-${signal.toLowerCase()}`,
    `Another process sends mydumper ${signal}: an intact backup, or no backup and a reason`,
    async (pair) => {
      for (const pid of mydumperOf(pair)) process.kill(pid, signal);
    },
  );
}

export const disturbedRows: readonly Row[] = [
  ...(['SIGTERM', 'SIGINT', 'SIGUSR1', 'SIGHUP', 'SIGKILL'] as const).map(signalled),
  disturbed(
    'connection-killed',
    "The server kills mydumper's connections: an intact backup, or no backup and a reason",
    async ({ db }) => {
      const reading =
        'SELECT ID FROM information_schema.PROCESSLIST ' +
        "WHERE DB = 'bulk' OR INFO LIKE 'SELECT %bulk%'";
      const own = await db.query('SELECT CONNECTION_ID() id');
      for (const { ID } of await db.query(reading))
        if (String(ID) !== String(own[0]?.id)) await db.query(`KILL ${ID}`).catch(() => []);
    },
  ),
  disturbed(
    'server-restarted',
    'The server restarts during the dump: no backup, and a reason',
    ({ db }) => db.restart(),
  ),
  {
    id: 'disk-full',
    part: 'backup',
    promise: 'Another process fills the staging disk during the dump: no backup, and a reason',
    run: async (pair) => {
      await bulk(pair);
      const { world } = pair;
      const manifests = await manifestsIn(world);
      const disk = join(world.directory, 'disk');
      world.s3.setBandwidth(SLOW_BYTES_PER_SECOND);
      const environment = {
        SOURCE: 'disk-full',
        DATABASES: 'bulk',
        COMPRESS: 'none',
        OUTPUTDIR: join(disk, 'staging'),
        STAGING_LIMIT_MB: '6',
      };
      const program = startProgram(world.environment(environment), [], onTmpfs(disk, 8 * MIB));
      await paused(pair, program);
      // Only the program's own root shows the mount.
      const filler = join('/proc', String(program.pid), 'root', disk, 'filler');
      const filling = setInterval(() => fill(filler), 20);
      const ended = await endInTime(program).finally(() => clearInterval(filling));
      const end = await endOfDisturbed(world, ended, manifests);
      if (typeof end !== 'string') throw new Error('a backup was made on a full disk');
      return end;
    },
  },
  {
    id: 'killed-and-again',
    part: 'backup',
    promise:
      'The program is killed during the dump: mydumper ends too, ' +
      'and the next run clears staging and makes a backup',
    run: async (pair) => {
      const before = await bulk(pair);
      const program = await inTheMiddle(pair, 'again');
      program.child.kill('SIGKILL');
      await program.ended;
      await until('mydumper has ended', () => mydumperOf(pair).length === 0, 10);
      pair.world.s3.setBandwidth(undefined);
      if (leftInStaging(pair.world).length === 0)
        throw new Error('nothing was staged when it was killed');
      const backup = await backUp(pair.world, { SOURCE: 'again', DATABASES: 'bulk' });
      await expectSameAsSql(pair.world, pair.copy, backup, before);
      return undefined;
    },
  },
  {
    id: 'budget',
    part: 'backup',
    promise:
      'A file system of the size of the budget, a slow S3 ' +
      'and a server with `net_write_timeout=3`: no row is lost',
    run: async (pair) => {
      const { db, world, copy } = pair;
      await createBulkDatabase(db, { name: 'large', megabytes: 30, tables: 2, rowBytes: 1000 });
      await createWideRows(db, { name: 'wide', rows: 4, bytes: 1_500_000 });
      const before = await describeServer(db, ['large', 'wide']);
      const own =
        db.vendor === 'mariadb' ? ['max_statement_time', '3'] : ['max_execution_time', '3000'];
      const hasty = [['net_write_timeout', '3'], ['net_read_timeout', '3'], own];
      for (const [name, value] of hasty) await db.query(`SET GLOBAL ${name} = ${value}`);
      // The stall is longer than the server's timeouts, while mydumper is paused.
      const stall = world.s3.faults.add({
        operation: ['PutObject', 'UploadPart'],
        skip: 12,
        times: 2,
        action: { kind: 'stall', milliseconds: 4500 },
      });
      try {
        world.s3.setBandwidth(12e6);
        const environment = {
          SOURCE: 'budget',
          DATABASES: 'large,wide',
          STAGING_LIMIT_MB: '12',
          COMPRESS: 'none',
          THREADS: '2',
        };
        const backup = await backUp(
          world,
          environment,
          (all) => startProgram(all, [], onTmpfs(world.staging, 12 * MIB)).ended,
        );
        const { longestPauseSeconds } = backup.manifest.staging;
        if (stall.hits === 0 || longestPauseSeconds < 3)
          throw new Error(`paused for ${longestPauseSeconds} s only`);
        await expectSameAsSql(world, copy, backup, before);
        return undefined;
      } finally {
        for (const [name] of hasty) await db.query(`SET GLOBAL ${name} = DEFAULT`);
        for (const name of ['large', 'wide']) await db.query(`DROP DATABASE ${name}`);
      }
    },
  },
  {
    id: 'restore-killed',
    part: 'restore',
    promise:
      '`restore` is killed during the load: the same command resumes and restores everything',
    run: async (pair) => {
      const { world, copy } = pair;
      const before = await bulk(pair);
      await backUp(world, { SOURCE: 'resumed', DATABASES: 'bulk', COMPRESS: 'none' });
      await dropAll(copy);
      const environment = into(world, copy, { SOURCE: 'resumed' });
      world.s3.setBandwidth(4e6);
      const first = startProgram(environment, ['restore']);
      const loaded = 'SELECT COUNT(*) n FROM mydumper_fargate_restore.files WHERE judged = 1';
      await until('a part of the backup is loaded', async () => {
        if (first.child.exitCode !== null)
          throw new Error(`exit ${first.child.exitCode}: ${reasonOf(await first.ended)}`);
        const [row] = await copy.query(loaded).catch(() => []);
        return Number(row?.n ?? 0) > 1;
      });
      first.child.kill('SIGKILL');
      await first.ended;
      world.s3.setBandwidth(undefined);
      const second = await runProgram(environment, ['restore']);
      if (second.code !== 0) throw new Error(`exit ${second.code}: ${reasonOf(second)}`);
      if (!second.stdout.includes('resuming the restore begun at'))
        throw new Error('it began again from the start');
      await expectSame(copy, before);
      return undefined;
    },
  },
];
