import { expect, test } from 'vitest';
import { createLogReader, type MydumperEvent } from '../../app/mydumper/log-reader.ts';

const message = (text: string) => `** Message: 12:20:57.642: ${text}`;
const read = (...lines: string[]) => {
  const reader = createLogReader();
  return lines.flatMap((line) => reader(line));
};
const kinds = (events: readonly MydumperEvent[]) =>
  events.map(({ kind }) => kind).filter((kind) => kind !== 'info');

test.each([
  'Shutting down gracefully',
  'Thread 4: Job has been cacelled',
  'Thread 1: Process has been cacelled',
])('mydumper 1.x reports its early end: %s', (text) => {
  expect(read(message(text))).toEqual([{ kind: 'endedEarly', message: text }]);
});

test.each(['Thread 3: Shutting down', 'Shutdown schema jobs', 'Ending signal thread'])(
  'mydumper 1.x prints %s for a complete dump too',
  (text) => {
    expect(kinds(read(message(text)))).toEqual([]);
  },
);

test('mydumper 0.10 and 1.x release the locks when all transactions have started', () => {
  expect(kinds(read(message('Transactions started, unlocking tables')))).toEqual(['locksReleased']);
  expect(kinds(read(message('Non-InnoDB dump complete, unlocking tables')))).toEqual([
    'locksReleased',
  ]);
});

test('locks that a thread of mydumper 1.x holds count until it has read those tables', () => {
  const lines = [
    'Thread 1: Locking non-transactional tables',
    'Thread 2: Locking non-transactional tables',
    'Thread 1: Non-Transactional tables are done, Starting exporting data for Transactional tables',
    'Non-InnoDB dump complete, releasing global locks',
    'Global locks released',
  ].map(message);
  expect(kinds(read(...lines))).toEqual([]);
  const last = message('Thread 2: Non-Transactional tables are done, Starting exporting data');
  expect(kinds(read(...lines, last, last))).toEqual(['locksReleased']);
});

test('a table of 1.x begins with its first progress line and ends when its thread moves on', () => {
  const events = read(
    message('Thread 2: `shop`.`orders` [ 0% ] | Tables: 4/5'),
    message('Thread 2: `shop`.`orders` [ 46% ] | Tables: 4/5'),
    message('Thread 2: `shop`.`items` [ 0% ] | Tables: 4/5'),
    message('Thread 2: Processing remaining objects jobs'),
  ).filter(({ kind }) => kind !== 'info');
  const orders = { thread: '2', database: 'shop', table: 'orders' };
  const items = { ...orders, table: 'items' };
  expect(events).toEqual([
    { kind: 'tableStarted', ...orders },
    { kind: 'tableFinished', ...orders },
    { kind: 'tableStarted', ...items },
    { kind: 'tableFinished', ...items },
  ]);
});

test('the warning of 1.x for each dump of transactional tables is information', () => {
  const text =
    'Using --trx-tables options, binlog coordinates will not be accurate ' +
    'if you are writing to non transactional tables.';
  expect(read(`** (mydumper:1): WARNING **: 12:20:57.642: ${text}`)).toEqual([
    { kind: 'info', message: text },
  ]);
});

test('a table that mydumper 1.x cannot read is left out of its dump', () => {
  const line =
    '** (mydumper:1): WARNING **: 12:20:57.642: Broken table detected, please review: shop.x';
  expect(read(line)).toEqual([{ kind: 'tableLeftOut', name: 'shop.x' }]);
});
