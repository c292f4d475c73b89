import { expect, test } from 'vitest';
import { type Definition, isSame, readDefinitions } from '../../app/restore/definitions.ts';

const only = (text: string): Definition => {
  const [definition, ...others] = readDefinitions(text);
  if (definition === undefined || others.length > 0) throw new Error(`not one definition: ${text}`);
  return definition;
};
const view = (table: string, column: string) =>
  'CREATE ALGORITHM=UNDEFINED DEFINER=`app`@`%` SQL SECURITY DEFINER ' +
  `VIEW \`recent\` AS select ${column} AS \`id\` from ${table}`;

test('a view equals itself with and without its own database, since servers show both', () => {
  const told = [view('`orders`', '`orders`.`id`'), view('`orders`', '`shop`.`orders`.`id`')];
  for (const inFile of told)
    for (const inServer of told) expect(isSame(only(inFile), inServer, 'shop', 'shop')).toBe(true);
  expect(
    isSame(only(told[1] ?? ''), view('`orders`', '`copy`.`orders`.`id`'), 'shop', 'copy'),
  ).toBe(true);
});

test('a view of another table, or of another database, is not the same', () => {
  const inFile = only(view('`orders`', '`shop`.`orders`.`id`'));
  expect(isSame(inFile, view('`others`', '`shop`.`orders`.`id`'), 'shop', 'shop')).toBe(false);
  expect(isSame(inFile, view('`orders`', '`old`.`orders`.`id`'), 'shop', 'shop')).toBe(false);
  expect(isSame(inFile, view('`orders`', '`shop`.`orders`.`id`'), 'shop', 'copy')).toBe(true);
  expect(
    isSame(
      only(view('`orders`', '`orders`.`id`')),
      view('`orders`', '`shop`.`orders`.`id`'),
      'shop',
      'copy',
    ),
  ).toBe(false);
});

test('what is not a view keeps its database', () => {
  const trigger = (table: string) =>
    `CREATE DEFINER=\`a\`@\`b\` TRIGGER \`t\` BEFORE INSERT ON ${table} FOR EACH ROW SET @a = 1`;
  expect(isSame(only(trigger('`orders`')), trigger('`shop`.`orders`'), 'shop', 'shop')).toBe(false);
  expect(isSame(only(trigger('`shop`.`orders`')), trigger('`copy`.`orders`'), 'shop', 'copy')).toBe(
    true,
  );
});
