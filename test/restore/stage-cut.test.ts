import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Failure } from '../../app/errors.ts';
import { planDisk } from '../../app/restore/batches.ts';
import { createDiskBudget, leastLimitMiB } from '../../app/restore/disk-budget.ts';
import type { Piece } from '../../app/restore/pieces.ts';
import type { DumpFile } from '../../app/restore/selection.ts';
import { type DataStage, removeBatch } from '../../app/restore/stage.ts';
import { stageCut } from '../../app/restore/stage-cut.ts';
import type { BackupStore } from '../../app/storage/backup-store.ts';
import { encodeCrc32 } from '../../app/storage/checksum-guard.ts';
import { temporaryDirectory } from '../support/program.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const PROLOGUE = "/*!40101 SET NAMES binary*/;\n/*!40103 SET TIME_ZONE='+00:00' */;\n";

/** A data file whose statements have about these sizes, in KiB. */
function fileOf(sizes: readonly number[]): Buffer {
  const statements = sizes.map(
    (size, at) => `INSERT INTO t VALUES (${at},'${'x'.repeat(size * KIB)}');\n`,
  );
  return Buffer.from(PROLOGUE + statements.join(''));
}

type Cut = {
  readonly pieces: readonly Piece[];
  readonly loaded: string;
  readonly peakBytes: number;
};

/**
 * Cuts the file under a budget, with a loader that finishes at once, and joins the content of the
 * pieces.
 */
async function cut(
  content: Buffer,
  budgetMiB: number,
  threads: number,
  { kept = [], stored = content }: { kept?: readonly Piece[]; stored?: Buffer } = {},
): Promise<Cut> {
  const { path: directory, remove } = temporaryDirectory('mf-cut');
  const budgetBytes = budgetMiB * MIB;
  const disk = planDisk(budgetBytes, 100, 1, []);
  if (disk === undefined) throw new Error('the budget is too small for anything');
  const budget = createDiskBudget({ budgetBytes, usableBytes: disk.usableBytes }, () => {});
  const metadataPath = join(directory, 'metadata');
  writeFileSync(metadataPath, 'x');
  const file: DumpFile = {
    key: 'db1/20261122T030000Z/shop.t.sql',
    name: 'shop.t.sql',
    kind: 'data',
    database: 'shop',
    table: 't',
    realTable: 't',
    dumpedBytes: content.byteLength,
    storedBytes: content.byteLength,
    largestStatementBytes: null,
    sha256: createHash('sha256').update(content).digest('hex'),
    crc32: encodeCrc32(crc32(content)),
  };
  let id = 0;
  const stage: DataStage = {
    store: { open: () => Readable.from(chunksOf(stored)) } as unknown as BackupStore,
    compression: 'none',
    directory,
    metadataPath,
    budget,
    concurrency: 1,
    onFetched: () => {},
    guarded: true,
    threads,
    batchBytes: disk.batchBytes,
    wantedBytes: disk.wantedBytes,
    nextId: () => {
      id += 1;
      return id;
    },
    isTransactional: () => true,
    loadedOf: () => kept,
  };
  const pieces: Piece[] = [];
  let loaded = '';
  let peakBytes = 0;
  try {
    for await (const { batch, takenBytes } of stageCut(stage, file)) {
      budget.handedOver();
      peakBytes = Math.max(peakBytes, budget.usedBytes());
      const onDisk = readdirSync(batch.directory).map(
        (name) => statSync(join(batch.directory, name)).size,
      );
      expect(onDisk.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(takenBytes + 1);
      for (const { piece, fileName } of batch.pieces) {
        pieces.push(piece);
        loaded += withoutGuard(readFileSync(join(batch.directory, fileName), 'latin1'));
      }
      removeBatch(batch.directory);
      budget.give(takenBytes);
      budget.released();
    }
  } finally {
    remove();
  }
  return { pieces, loaded, peakBytes };
}

function* chunksOf(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.byteLength; at += 100_000) yield content.subarray(at, at + 100_000);
}

const withoutGuard = (text: string) =>
  text
    .replace(/^(?:UPDATE `mydumper_fargate_restore|SET @mydumper_fargate).*\n/gm, '')
    .replace(PROLOGUE, '');

const refusalOf = (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: Failure) => error,
  );
const suggestedBy = ({ message }: Failure) =>
  Number(/STAGING_LIMIT_MB to (\d+) or more$/.exec(message)?.[1]);

const sizes = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2500 })),
  {
    minLength: 1,
    maxLength: 12,
  },
);

test('a refusal names the smallest budget that fits: 1 MiB less is refused', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 8 }), async (drawn, threads) => {
      const content = fileOf(drawn);
      let limit = 1;
      const outcome = await cut(content, limit, threads).catch((error: Failure) => error);
      if ('message' in outcome) {
        expect(outcome).toMatchObject({ kind: 'staging' });
        expect(outcome.message).toContain(`db1/20261122T030000Z/shop.t.sql: a statement of `);
        limit = suggestedBy(outcome);
        if (limit > 2)
          expect(suggestedBy(await refusalOf(cut(content, limit - 1, threads)))).toBe(limit);
      }
      expect(limit * MIB).toBeGreaterThan(Math.max(...drawn) * KIB);
      const { pieces, loaded } = await cut(content, limit, threads);
      expect(loaded).toBe(content.toString('latin1').slice(PROLOGUE.length));
      expect(pieces.map(({ start }) => start)).toEqual([
        0,
        ...pieces.slice(0, -1).map(({ end }) => end),
      ]);
      expect(pieces.at(-1)?.end).toBe(content.byteLength);
    }),
    { numRuns: 15 },
  );
});

test('a large statement that is loaded already needs no room', async () => {
  const content = fileOf([10, 3000, 20, 30]);
  const whole = await cut(content, 4, 2);
  const large = whole.pieces.find(({ start, end }) => end - start > 3000 * KIB);
  const kept = whole.pieces.filter(({ end }) => end <= (large?.end ?? 0));
  expect(kept.length).toBeGreaterThan(0);
  const { loaded } = await cut(content, 1, 2, { kept });
  expect(loaded).toBe(content.toString('latin1').slice(kept.at(-1)?.end));
});

test('a foreign statement is reported, unless the file is damaged', async () => {
  const content = Buffer.concat([fileOf([900, 900]), Buffer.from('DROP DATABASE mysql;\n')]);
  expect((await refusalOf(cut(content, 4, 2))).message).toContain('no INSERT: "DROP DATABASE');
  const damaged = Buffer.concat([content.subarray(0, -2), Buffer.from('.\n')]);
  expect((await refusalOf(cut(content, 4, 2, { stored: damaged }))).message).toMatch(/CRC-32/);
});

test('the limit that is named is the smallest with room', () => {
  const bytes = fc.integer({ min: 600 * KIB, max: 2 ** 40 });
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: MIB }), (needed, metadata) => {
      const size = {
        budgetBytes: 2 * MIB,
        usableBytes: planDisk(2 * MIB, metadata, 1, [])?.usableBytes ?? 0,
      };
      fc.pre(size.usableBytes > 0);
      const usableWith = (limitMiB: number) =>
        planDisk(limitMiB * MIB, metadata, 1, [])?.usableBytes ?? 0;
      const limit = leastLimitMiB(size, needed);
      expect(usableWith(limit)).toBeGreaterThanOrEqual(needed);
      expect(usableWith(limit - 1)).toBeLessThan(needed);
    }),
  );
});
