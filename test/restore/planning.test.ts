import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readMetadataTables } from '../../app/mydumper/metadata-tables.ts';
import { planBatches, planDisk, stagedBytes, threadsOf } from '../../app/restore/batches.ts';
import { normalize, readDefinitions } from '../../app/restore/definitions.ts';
import { loadedBytes, type Piece, planResume } from '../../app/restore/pieces.ts';
import { pieceName } from '../../app/restore/stage-cut.ts';

const files = fc.array(fc.integer({ min: 0, max: 5_000_000 }), { maxLength: 60 });

test('every file is in one batch, in its order, and no batch takes more than it may', () => {
  const bytes = fc.integer({ min: 4096, max: 4_000_000 });
  fc.assert(
    fc.property(files, bytes, bytes, (sizes, one, other) => {
      const named = sizes.map((dumpedBytes, at) => ({ name: String(at), dumpedBytes }));
      const [wantedBytes, batchBytes] = one < other ? [one, other] : [other, one];
      const batches = planBatches(named, { batchBytes, wantedBytes });
      expect(
        batches.flatMap((batch) => (batch.kind === 'whole' ? batch.files : [batch.file])),
      ).toEqual(named);
      for (const batch of batches) {
        if (batch.kind === 'cut')
          expect(stagedBytes(batch.file.dumpedBytes)).toBeGreaterThan(batchBytes);
        else {
          expect(batch.files.length).toBeGreaterThan(0);
          expect(batch.bytes).toBeLessThanOrEqual(
            batch.files.length === 1 ? batchBytes : wantedBytes,
          );
        }
      }
    }),
  );
});

const MIB = 1024 * 1024;
const budgets = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 26 }),
  fc.integer({ min: 0, max: 2 ** 40 }),
);
const threadCounts = fc.integer({ min: 1, max: 64 });

test('all batches of loaders and the fetched one fit into any working budget with metadata', () => {
  fc.assert(
    fc.property(budgets, fc.integer({ min: 0, max: 2 ** 22 }), threadCounts, files, (...drawn) => {
      const [budget, metadata, threads, sizes] = drawn;
      const plan = planDisk(budget, metadata, threads, sizes);
      if (plan === undefined) return;
      expect((plan.loaders + 1) * plan.batchBytes).toBeLessThan(plan.usableBytes);
      expect(plan.wantedBytes).toBeLessThanOrEqual(plan.batchBytes);
      expect(plan.usableBytes + metadata).toBeLessThan(budget);
      const own = threadsOf(plan.loaders, threads);
      expect(own.reduce((sum, each) => sum + each, 0)).toBe(threads);
      expect(Math.min(...own)).toBeGreaterThan(0);
      // What one loader could stage whole is staged whole by several.
      const alone = planDisk(budget, metadata, 1, sizes)?.batchBytes ?? 0;
      const fitting = sizes.map(stagedBytes).filter((bytes) => bytes <= alone);
      expect(Math.max(0, ...fitting)).toBeLessThanOrEqual(plan.batchBytes);
    }),
  );
});

test('the budget gives each thread a loader of enough size, and the first batch is in time', () => {
  const files4 = Array.from({ length: 100 }, () => 4 * MIB);
  expect(planDisk(64 * MIB, 0, 2, files4)).toMatchObject({ loaders: 2 });
  expect(planDisk(10 * MIB, 0, 4, files4)).toMatchObject({ loaders: 1 });
  expect(planDisk(64 * MIB, 0, 4, [20 * MIB, ...files4])).toMatchObject({ loaders: 1 });
  expect(planDisk(20_480 * MIB, 0, 4, Array(1000).fill(64 * MIB))).toMatchObject({
    loaders: 4,
    wantedBytes: 64 * MIB,
  });
  // Little to load is shared out all the same.
  expect(planDisk(1024 * MIB, 0, 4, files4.slice(0, 40))?.wantedBytes).toBeLessThan(11 * MIB);
});

const piece = fc.record({
  file: fc.constantFrom('a', 'b', 'c', 'd'),
  begun: fc.boolean(),
  loaded: fc.boolean(),
});

test('a half-loaded table is loaded again, and no other table is loaded twice', () => {
  const tableOf = (file: string) => (file === 'd' ? undefined : file === 'c' ? 'second' : 'first');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (made) => {
      const pieces: Piece[] = made.map((each, at) => ({
        ...each,
        id: at,
        start: at * 10,
        end: at * 10 + 10,
        rows: 1,
      }));
      const { spoiled, loaded } = planResume(pieces, tableOf);
      for (const { file, begun, loaded: isLoaded, id } of pieces) {
        const table = tableOf(file);
        if (begun && !isLoaded && table !== undefined) expect(spoiled).toContain(table);
        const isKept = (loaded.get(file) ?? []).some((kept) => kept.id === id);
        expect(isKept).toBe(isLoaded && !(table !== undefined && spoiled.has(table)));
      }
      for (const kept of loaded.values()) expect(loadedBytes(kept)).toBe(kept.length * 10);
    }),
  );
});

test("myloader of either generation takes the table from a piece's name", () => {
  expect(pieceName('shop.orders.sql', 7)).toBe('shop.orders.00007.sql');
  expect(pieceName('shop.orders.00012.sql', 7)).toBe('shop.orders.00007.sql');
  expect(pieceName('shop.orders.00000.00012.sql', 123456)).toBe('shop.orders.123456.sql');
});

test('metadata of 1.x holds names and rows, that of 0.10 neither', () => {
  const text =
    '[config]\nquote_character=BACKTICK\n\n' +
    '[`shop`.`mydumper_0`]\nreal_table_name=or/ders\nrows = 12\n\n[`shop`.`a``b`]\nrows=3\n';
  const { realNames, rows } = readMetadataTables(text);
  expect([...realNames]).toEqual([['shop.mydumper_0', 'or/ders']]);
  expect([...rows]).toEqual([
    ['shop.mydumper_0', 12],
    ['shop.a`b', 3],
  ]);
  expect(readMetadataTables('Started dump at: x\nFinished dump at: y\n').rows.size).toBe(0);
});

test('definitions are found by kind and name, with any bodies', () => {
  const text =
    '/*!40101 SET NAMES binary*/;\nDROP FUNCTION IF EXISTS `a`;\n' +
    'CREATE DEFINER=`r``t`@`%` FUNCTION `odd "f"`(a int) RETURNS int\n' +
    "BEGIN\n  SELECT 'CREATE TABLE `no`'; \n  RETURN 1; \nEND;\n" +
    'CREATE DEFINER=`x`@`y` TRIGGER au AFTER UPDATE ON `TABLE` FOR EACH ROW SET @x = 1;\n' +
    'CREATE ALGORITHM=UNDEFINED DEFINER=`x`@`y` SQL SECURITY DEFINER VIEW `v``w` AS select 1;\n';
  expect(readDefinitions(text).map(({ kind, name }) => [kind, name])).toEqual([
    ['FUNCTION', 'odd "f"'],
    ['TRIGGER', 'au'],
    ['VIEW', 'v`w'],
  ]);
  expect(
    normalize("CREATE TABLE `t` (\n  a int\n) ENGINE=InnoDB AUTO_INCREMENT=7 COMMENT='x';\n"),
  ).toBe("CREATE TABLE `t` (\n  a int\n) ENGINE=InnoDB COMMENT='x'");
});
