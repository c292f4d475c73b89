import { expect, test } from 'vitest';
import { allocateShared, createReusedBuffers } from '../app/reused-buffers.ts';

test('a buffer is used again once it was given back, by itself or by a view of it', () => {
  const buffers = createReusedBuffers();
  const first = buffers.take(1024);
  const second = buffers.take(1024);
  expect(second).not.toBe(first);
  buffers.giveBack(first.subarray(3, 10));
  expect(buffers.take(1024)).toBe(first);
  buffers.giveBack(second);
  expect(buffers.take(1024)).toBe(second);
});

test('what is given back twice is lent once, and what is not ours is not taken', () => {
  const buffers = createReusedBuffers();
  const first = buffers.take(1024);
  const stranger = Buffer.allocUnsafeSlow(1024);
  buffers.giveBack(first);
  buffers.giveBack(first);
  buffers.giveBack(stranger);
  const again = [buffers.take(1024), buffers.take(1024)];
  expect(again[0]).toBe(first);
  expect(again[1]).not.toBe(first);
  expect(again).not.toContain(stranger);
});

test('a buffer of another size is another buffer', () => {
  const buffers = createReusedBuffers();
  buffers.giveBack(buffers.take(1024));
  expect(buffers.take(2048)).toHaveLength(2048);
});

test('a buffer that is held is used again when all have given it back', () => {
  const buffers = createReusedBuffers(allocateShared);
  const first = buffers.take(1024);
  expect(first.buffer).toBeInstanceOf(SharedArrayBuffer);
  buffers.hold(first.subarray(0, 10));
  buffers.giveBack(first);
  expect(buffers.take(1024)).not.toBe(first);
  buffers.giveBack(first.subarray(5));
  expect(buffers.take(1024)).toBe(first);
});
