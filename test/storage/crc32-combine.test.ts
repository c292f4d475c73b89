import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { combineCrc32 } from '../../app/storage/crc32-combine.ts';

test('is the CRC-32 of both pieces one after the other', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 5000 }),
      fc.uint8Array({ maxLength: 5000 }),
      (first, second) => {
        const whole = crc32(Buffer.concat([first, second]));
        expect(combineCrc32(crc32(first), crc32(second), second.byteLength)).toBe(whole);
      },
    ),
  );
});

test('also where the second piece is larger than 32 bits can count', () => {
  const zeros = Buffer.alloc(1024 * 1024);
  let mebibyte = crc32(zeros);
  let bytes = zeros.byteLength;
  let whole = crc32('start');
  // Doubled twelve times: 4 GiB of zeros.
  for (let doubling = 0; doubling < 12; doubling += 1) {
    mebibyte = combineCrc32(mebibyte, mebibyte, bytes);
    bytes *= 2;
  }
  for (let rest = 0; rest < 4096; rest += 1)
    whole = combineCrc32(whole, crc32(zeros), zeros.byteLength);
  expect(bytes).toBe(2 ** 32);
  expect(combineCrc32(crc32('start'), mebibyte, bytes)).toBe(whole);
});
