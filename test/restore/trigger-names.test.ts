import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDefinitions } from '../../app/restore/definitions.ts';
import { UnclearTrigger, withoutDatabase } from '../../app/restore/trigger-names.ts';

const PROLOGUE = "SET NAMES binary;\n/*!50003 SET sql_mode='' */;\n";
const BODY =
  "FOR EACH ROW BEGIN SET @a = 'shop.tr; '; \n INSERT INTO shop.log VALUES (1); \nEND;\n";
const trigger = (name: string, table: string, definer = 'DEFINER=`root`@`127.0.0.1` ') =>
  `${PROLOGUE}CREATE ${definer}TRIGGER ${name} BEFORE INSERT ON ${table} ${BODY}`;

test.each([
  ['shop.tr', 'shop.orders', 'tr', 'orders'],
  ['`shop`.`tr`', '`shop` . `orders`', '`tr`', '`orders`'],
  ['tr', 'shop.orders', 'tr', 'orders'],
  ['SHOP.tr', 'orders', 'tr', 'orders'],
  ['`t r`', '`a``.b`', '`t r`', '`a``.b`'],
  // As under ANSI_QUOTES.
  ['"shop"."t r"', '"shop"."a"".b"', '"t r"', '"a"".b"'],
])('%s on %s goes into the current database, its body as it is', (name, table, bare, bareTable) => {
  for (const definer of [
    '',
    'DEFINER=`root`@`127.0.0.1` ',
    "DEFINER = 'a b'@'%' ",
    'DEFINER=admin ',
    'DEFINER="ro ot"@"%" ',
  ])
    expect(withoutDatabase(trigger(name, table, definer), 'shop')).toBe(
      trigger(bare, bareTable, definer),
    );
});

test.each([
  'CREATE TRIGGER crm.tr BEFORE INSERT ON shop.orders FOR EACH ROW SET @a = 1;\n',
  'CREATE TRIGGER tr BEFORE INSERT ON crm.orders FOR EACH ROW SET @a = 1;\n',
  'CREATE TRIGGER /* here */ shop.tr BEFORE INSERT ON shop.orders FOR EACH ROW SET @a = 1;\n',
  'CREATE TRIGGER "crm"."tr" BEFORE INSERT ON "shop"."orders" FOR EACH ROW SET @a = 1;\n',
  'CREATE TABLE shop.t (a int);\n',
])('%s is not loaded at a guess', (text) => {
  expect(() => withoutDatabase(PROLOGUE + text, 'shop')).toThrow(UnclearTrigger);
});

test('removing the qualifier leaves the statement as written without it, for any names', () => {
  const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``;
  const name = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !/;\n/.test(text));
  fc.assert(
    fc.property(name, name, name, (database, one, table) => {
      const qualified = trigger(
        `${quote(database)}.${quote(one)}`,
        `${quote(database)}.${quote(table)}`,
      );
      expect(withoutDatabase(qualified, database)).toBe(trigger(quote(one), quote(table)));
    }),
  );
});

test.each([
  ['shop.tr', 'tr'],
  ['`shop`.tr', 'tr'],
  ['shop . `t.r`', 't.r'],
  ['"shop"."t ""r"', 't "r'],
  ['tr', 'tr'],
])('the definition of %s is known as %s', (written, name) => {
  expect(readDefinitions(trigger(written, 'shop.orders'))).toMatchObject([
    { kind: 'TRIGGER', name },
  ]);
});
