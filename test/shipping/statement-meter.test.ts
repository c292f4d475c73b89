import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocateShared } from '../../app/reused-buffers.ts';
import { createStatementMeter } from '../../app/shipping/statement-meter.ts';

function largestOf(...pieces: readonly Uint8Array[]): number {
  const meter = createStatementMeter();
  for (const piece of pieces) meter.add(piece);
  return meter.largestBytes();
}

const bytes = (text: string) => Buffer.from(text);

test('the largest statement counts with its semicolon and without the line end', () => {
  expect(largestOf(bytes('SET NAMES binary;\nINSERT INTO `t` VALUES\n(1),\n(2);\n'))).toBe(
    'INSERT INTO `t` VALUES\n(1),\n(2);'.length,
  );
});

test('a semicolon within a line ends no statement', () => {
  expect(largestOf(bytes("INSERT INTO `t` VALUES('a;b; c');\nSELECT 1;\n"))).toBe(33);
});

test('a statement without an end counts with its bytes so far', () => {
  expect(largestOf(bytes('SELECT 1;\nINSERT INTO `t` VALUES(1)'))).toBe(25);
  expect(largestOf(bytes('SELECT 1;'))).toBe(9);
});

test('a file without bytes has no statement', () => {
  expect(largestOf()).toBe(0);
  expect(largestOf(Buffer.alloc(0))).toBe(0);
});

test('the largest statement is the same for any pieces of a file, in shared memory too', () => {
  const text = fc.string({ unit: fc.constantFrom(';', '\n', 'a', ' '), maxLength: 60 });
  const cuts = fc.array(fc.nat(60), { maxLength: 8 });
  fc.assert(
    fc.property(text, cuts, (content, places) => {
      const wanted = Math.max(
        ...content.split(';\n').map((part, at, all) => part.length + (at < all.length - 1 ? 1 : 0)),
      );
      const ends = [
        ...places.map((place) => Math.min(place, content.length)),
        content.length,
      ].toSorted((left, right) => left - right);
      const pieces = ends.map((end, at) => {
        const part = content.slice(ends[at - 1] ?? 0, end);
        const piece = allocateShared(part.length);
        piece.set(bytes(part));
        return piece;
      });
      expect(largestOf(...pieces)).toBe(wanted);
    }),
  );
});
