import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planBatches, planDisk, stagedBytes } from '../../app/restore/batches.ts';
import { normalize, readDefinitions } from '../../app/restore/definitions.ts';
import { readMetadataTables } from '../../app/restore/metadata-tables.ts';
import { loadedBytes, type Piece, planResume } from '../../app/restore/pieces.ts';
import { pieceName } from '../../app/restore/stage-cut.ts';

const files = fc.array(fc.integer({ min: 0, max: 5_000_000 }), { maxLength: 60 });

test('every file is in one batch, in its order, and no batch takes more than it may', () => {
  fc.assert(
    fc.property(files, fc.integer({ min: 4096, max: 4_000_000 }), (sizes, batchBytes) => {
      const named = sizes.map((dumpedBytes, at) => ({ name: String(at), dumpedBytes }));
      const batches = planBatches(named, batchBytes);
      expect(batches.flatMap((batch) => (batch.kind === 'whole' ? batch.files : [batch.file]))).toEqual(
        named,
      );
      for (const batch of batches) {
        if (batch.kind === 'cut') expect(stagedBytes(batch.file.dumpedBytes)).toBeGreaterThan(batchBytes);
        else {
          expect(batch.bytes).toBeLessThanOrEqual(batchBytes);
          expect(batch.files.length).toBeGreaterThan(0);
        }
      }
    }),
  );
});

test('two batches fit into any budget that works, with metadata in it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 }),
      fc.integer({ min: 0, max: 2 ** 22 }),
      (budget, metadata) => {
        const plan = planDisk(budget, metadata);
        if (plan === undefined) return;
        expect(2 * plan.batchBytes).toBeLessThan(plan.usableBytes);
        expect(plan.usableBytes + metadata).toBeLessThan(budget);
      },
    ),
  );
});

const piece = fc.record({
  file: fc.constantFrom('a', 'b', 'c', 'd'),
  begun: fc.boolean(),
  loaded: fc.boolean(),
});

test('a table of which something is half loaded starts anew, and nothing of another is loaded twice', () => {
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

test('pieces are called so that myloader of either generation takes the table from the name', () => {
  expect(pieceName('shop.orders.sql', 7)).toBe('shop.orders.00007.sql');
  expect(pieceName('shop.orders.00012.sql', 7)).toBe('shop.orders.00007.sql');
  expect(pieceName('shop.orders.00000.00012.sql', 123456)).toBe('shop.orders.123456.sql');
});

test('metadata of 1.x tells names and rows, that of 0.10 nothing', () => {
  const text =
    '[config]\nquote_character=BACKTICK\n\n[`shop`.`mydumper_0`]\nreal_table_name=or/ders\nrows = 12\n\n[`shop`.`a``b`]\nrows=3\n';
  const { realNames, rows } = readMetadataTables(text);
  expect([...realNames]).toEqual([['shop.mydumper_0', 'or/ders']]);
  expect([...rows]).toEqual([
    ['shop.mydumper_0', 12],
    ['shop.a`b', 3],
  ]);
  expect(readMetadataTables('Started dump at: x\nFinished dump at: y\n').rows.size).toBe(0);
});

test('definitions are found by kind and name, whatever their bodies hold', () => {
  const text =
    '/*!40101 SET NAMES binary*/;\nDROP FUNCTION IF EXISTS `a`;\nCREATE DEFINER=`r``t`@`%` FUNCTION `odd "f"`(a int) RETURNS int\nBEGIN\n  SELECT \'CREATE TABLE `no`\'; \n  RETURN 1; \nEND;\nCREATE DEFINER=`x`@`y` TRIGGER au AFTER UPDATE ON `TABLE` FOR EACH ROW SET @x = 1;\nCREATE ALGORITHM=UNDEFINED DEFINER=`x`@`y` SQL SECURITY DEFINER VIEW `v``w` AS select 1;\n';
  expect(readDefinitions(text).map(({ kind, name }) => [kind, name])).toEqual([
    ['FUNCTION', 'odd "f"'],
    ['TRIGGER', 'au'],
    ['VIEW', 'v`w'],
  ]);
  expect(normalize("CREATE TABLE `t` (\n  a int\n) ENGINE=InnoDB AUTO_INCREMENT=7 COMMENT='x';\n")).toBe(
    "CREATE TABLE `t` (\n  a int\n) ENGINE=InnoDB COMMENT='x'",
  );
});
