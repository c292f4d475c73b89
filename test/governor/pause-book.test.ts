import { expect, test } from 'vitest';
import { createPauseBook } from '../../app/governor/pause-book.ts';

test('pauses add up, the one that lasts included', () => {
  const book = createPauseBook(false);
  expect(book.totals(5)).toEqual({
    stopped: false,
    pauses: 0,
    pausedSeconds: 0,
    longestPauseSeconds: 0,
    lockedStopSeconds: 0,
  });
  book.begin(10);
  expect(book.since()).toBe(10);
  expect(book.end(13)).toBe(3);
  expect(book.end(14)).toBe(0);
  book.begin(20);
  expect(book.totals(25)).toEqual({
    stopped: true,
    pauses: 2,
    pausedSeconds: 8,
    longestPauseSeconds: 5,
    lockedStopSeconds: 0,
  });
});

test('locked time ends when mydumper releases its locks in the middle of a pause', () => {
  const book = createPauseBook(true);
  book.begin(0);
  book.end(2);
  book.begin(10);
  expect(book.totals(11).lockedStopSeconds).toBe(3);
  book.locksReleased(14);
  expect(book.isLocked()).toBe(false);
  expect(book.totals(20).lockedStopSeconds).toBe(6);
  book.end(20);
  book.begin(30);
  expect(book.totals(40)).toMatchObject({ pausedSeconds: 22, lockedStopSeconds: 6 });
});
