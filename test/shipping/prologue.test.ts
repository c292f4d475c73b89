import { expect, test } from 'vitest';
import { prologueFor } from '../../app/shipping/prologue.ts';
import { leasedFile } from '../support/leased-file.ts';

const NAMES = '/*!40101 SET NAMES binary*/;\n';
const KEYS = '/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n';
const ZONE = "/*!40103 SET TIME_ZONE='+00:00' */;\n";
const ROW = "INSERT INTO `orders` VALUES(1,'2026-11-22 03:00:00');\n";

const classic = () => prologueFor('classic', ['shop', 'a.b']);

test('a data file of mydumper 0.10 without its first lines gets them back', () => {
  for (const name of ['shop.orders.sql', 'shop.orders.00002.sql', 'a.b.orders.sql'])
    expect(String(classic()(leasedFile(ROW, { name })))).toBe(NAMES + KEYS + ZONE);
});

test('a data file that begins as it should gets nothing', () => {
  expect(classic()(leasedFile(NAMES + KEYS + ZONE + ROW))).toHaveLength(0);
  expect(classic()(leasedFile(NAMES))).toHaveLength(0);
});

test('a file that begins nearly as it should, or is shorter than that, gets them', () => {
  expect(String(classic()(leasedFile(`/*!40101 SET NAMES utf8mb4*/;\n${ROW}`)))).toBe(
    NAMES + KEYS + ZONE,
  );
  expect(String(classic()(leasedFile(NAMES.slice(0, -1))))).toBe(NAMES + KEYS + ZONE);
  expect(String(classic()(leasedFile(';')))).toBe(NAMES + KEYS + ZONE);
});

test('an empty data file stays empty', () => {
  expect(classic()(leasedFile(''))).toHaveLength(0);
});

test.each([
  'shop.orders-schema.sql',
  'shop-schema-create.sql',
  'shop-schema-post.sql',
  'shop.orders-schema-triggers.sql',
  'shop.recent-schema-view.sql',
  'metadata',
  'metadata.partial',
  'something.else',
])('%s is no data file and gets nothing', (name) => {
  expect(classic()(leasedFile(ROW, { name }))).toHaveLength(0);
});

test('files of mydumper 1.x get nothing', () => {
  const modern = prologueFor('modern', ['shop']);
  for (const content of [ROW, '', NAMES]) expect(modern(leasedFile(content))).toHaveLength(0);
});

test('looking at a file does not move where it is read from', () => {
  const lease = leasedFile(ROW);
  const prologueOf = classic();
  expect(prologueOf(lease)).toEqual(prologueOf(lease));
  expect(String(prologueOf(lease))).toBe(NAMES + KEYS + ZONE);
});
