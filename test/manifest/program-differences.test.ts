import { expect, test } from 'vitest';
import type { Program } from '../../app/database/programs.ts';
import { programDifferences } from '../../app/manifest/program-differences.ts';
import { sampleInput } from './samples.ts';

const [sample] = sampleInput.programs.list;

function program(kind: string, database: string, name: string): Program {
  if (sample === undefined) throw new Error('the sample has no program');
  return { ...sample, kind, database, name };
}

const file = (name: string, ...programs: readonly string[]) => ({
  name,
  programs: programs.map((text) => {
    const [kind = '', nameBytes = ''] = text.split(' ');
    return { kind, nameBytes };
  }),
});

const LISTED = [
  program('procedure', 'shop', 'p'),
  program('trigger', 'shop', 'orders_bi'),
  program('event', 'a.b', 'e'),
];
const FILES = [
  file('shop-schema-post.sql', 'procedure p'),
  file('shop.orders-schema-triggers.sql', 'trigger orders_bi'),
  file('a.b-schema-post.sql', 'event e'),
  file('shop.orders.sql'),
];
const compare = (
  listed: readonly Program[],
  files: Parameters<typeof programDifferences>[1],
  narrowed = false,
) => programDifferences(listed, files, ['shop', 'a.b'], narrowed);

test('a dump with the listed programs has no differences', () => {
  expect(compare(LISTED, FILES)).toEqual([]);
  expect(compare([], [])).toEqual([]);
});

test('programs that are in one of both only are named', () => {
  const listed = [...LISTED, program('function', 'shop', 'f'), program('event', 'shop', 'p')];
  expect(compare(listed, FILES)).toEqual([
    'the dump lacks programs that the server listed before it: ' +
      '"function shop.f", "event shop.p"; they were dropped meanwhile, or mydumper left them out',
  ]);
  expect(compare(LISTED.slice(1), FILES)).toEqual([
    'the manifest lacks the settings of programs in the dump: "procedure shop.p"; ' +
      'they were created during the dump',
  ]);
});

test('a narrowed dump may lack programs, but must not have others', () => {
  expect(compare(LISTED, [], true)).toEqual([]);
  expect(compare([], FILES, true)).toHaveLength(1);
});

test('names are compared without case, and in any encoding', () => {
  const listed = [program('trigger', 'shop', 'Größe'), program('trigger', 'shop', 'Grüße')];
  const latin1 = file('shop.t-schema-triggers.sql', 'trigger größe', 'trigger grüße');
  const utf8 = file(
    'shop.t-schema-triggers.sql',
    ...['Größe', 'Grüße'].map((name) => `trigger ${Buffer.from(name).toString('latin1')}`),
  );
  expect(compare(listed, [latin1])).toEqual([]);
  expect(compare(listed, [utf8])).toEqual([]);
  expect(compare(listed.slice(1), [utf8])).toEqual([expect.stringContaining('trigger shop.Grüße')]);
});
