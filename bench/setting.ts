import { fork } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBulkDatabase } from '../test/support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';
import { makeSelfSigned } from '../test/support/openssl.ts';
import type { BenchOptions } from './options.ts';
import { answered, type Certificate, type Sink, startSink } from './sink/start.ts';

const BYTES_PER_MIB = 1024 ** 2;
const BUDGET_SHARE = 0.05;
/** Files of a tenth of the budget: the smallest tools need whole files to be finished within it. */
const FILES_PER_BUDGET = 10;
/** One for each thread of mydumper, as 0.10 dumps a table with one. */
const TABLES = 4;
/** Smaller than any database here, so that all sizes are read alike. */
const SERVER_CONFIG = ['innodb_buffer_pool_size=128M', 'innodb_log_file_size=1G'];

/**
 * The bandwidth of the database and of S3 in balanced cells, in MB/s. It is low enough that two
 * processors suffice for all programs.
 */
export const BALANCED_MB_PER_SECOND = 40;
const SLOW_DATABASE = fileURLToPath(new URL('slow-database.ts', import.meta.url));

/** A database of one size and what follows from it. */
export type Sized = {
  readonly sizeGb: number;
  readonly database: string;
  readonly budgetMiB: number;
  readonly chunkMiB: number;
};

export type Setting = {
  readonly db: MariaDb;
  /** Of a way to it that is limited to BALANCED_MB_PER_SECOND. */
  readonly slowPort: number;
  readonly plain: Sink;
  /** Over TLS; undefined when not asked for. */
  readonly tls: Sink | undefined;
  readonly certificate: string;
  /** Of this run, removed at its end. */
  readonly work: string;
  readonly optionFile: string;
  readonly sized: (sizeGb: number) => Sized;
  readonly stop: () => Promise<void>;
};

/** Servers and databases. What a data directory that is kept holds already is not made again. */
export async function startSetting(
  options: Pick<BenchOptions, 'sizesGb' | 'tls' | 'data'>,
  say: (text: string) => void,
): Promise<Setting> {
  const work = mkdtempSync(join(tmpdir(), 'mf-bench-'));
  const cleanups: (() => unknown)[] = [() => rmSync(work, { recursive: true, force: true })];
  const stop = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stop().finally(() => process.exit(1)));
  try {
    const db = await startMariaDb({
      config: SERVER_CONFIG,
      dataDir: options.data ?? join(work, 'data'),
    });
    cleanups.push(() => db.stop());
    const sizes = new Map(options.sizesGb.map((sizeGb) => [sizeGb, sizedFor(sizeGb)]));
    for (const sized of sizes.values()) await makeDatabase(db, sized, say);
    const certificate = makeCertificate(work);
    const slow = fork(SLOW_DATABASE, [String(db.port), String(BALANCED_MB_PER_SECOND * 1e6)], {
      execArgv: [],
    });
    cleanups.push(() => slow.disconnect());
    const { port: slowPort } = await answered<{ port: number }>(slow);
    const plain = await startSink();
    cleanups.push(() => plain.stop());
    const tls = options.tls ? await startSink(certificate) : undefined;
    if (tls !== undefined) cleanups.push(() => tls.stop());
    return {
      db,
      slowPort,
      plain,
      tls,
      certificate: certificate.certificate,
      work,
      optionFile: writeOptionFile(work, db),
      sized: (sizeGb) => sizes.get(sizeGb) ?? sizedFor(sizeGb),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function sizedFor(sizeGb: number): Sized {
  const budgetMiB = Math.max(1, Math.round((sizeGb * 1e9 * BUDGET_SHARE) / BYTES_PER_MIB));
  const chunkMiB = Math.max(1, Math.floor(budgetMiB / FILES_PER_BUDGET));
  return { sizeGb, database: `bench_${String(sizeGb).replace('.', '_')}`, budgetMiB, chunkMiB };
}

async function makeDatabase(db: MariaDb, sized: Sized, say: (text: string) => void): Promise<void> {
  const there = await db.query('SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?', [
    sized.database,
  ]);
  if (there.length > 0) return;
  say(`making a database of ${sized.sizeGb} GB`);
  const megabytes = (sized.sizeGb * 1e9) / BYTES_PER_MIB;
  await createBulkDatabase(db, { name: sized.database, megabytes, tables: TABLES });
}

function makeCertificate(work: string): Certificate {
  const made = { certificate: join(work, 'tls.pem'), key: join(work, 'tls.key') };
  makeSelfSigned('127.0.0.1', 'subjectAltName=IP:127.0.0.1', made);
  return made;
}

function writeOptionFile(work: string, db: MariaDb): string {
  const path = join(work, 'my.cnf');
  const password = `"${db.password.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const lines = [
    '[client]',
    `host=${db.host}`,
    `port=${db.port}`,
    `user=${db.user}`,
    `password=${password}`,
  ];
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return path;
}
