import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Contents,
  classicLayout,
  inBoth,
  missingFromDump,
  modernLayout,
} from '../../app/manifest/completeness.ts';

const NOTHING: Contents = { databases: [], tables: [], views: [], triggered: [], programmed: [] };
const NONE = classicLayout(new Set());

const table = (database: string, name: string, engine = 'innodb') => ({
  database,
  table: name,
  engine,
});
const shop: Contents = {
  databases: ['shop'],
  tables: [table('shop', 'orders'), table('shop', 'none'), table('shop', 'all', 'mrg_myisam')],
  views: [{ database: 'shop', table: 'recent' }],
  triggered: [{ database: 'shop', table: 'orders' }],
  programmed: ['shop'],
};
const FILES = [
  'metadata',
  'shop-schema-create.sql',
  'shop.orders-schema.sql',
  'shop.orders.sql',
  'shop.none-schema.sql',
  'shop.all-schema.sql',
  'shop.recent-schema.sql',
  'shop.recent-schema-view.sql',
  'shop.orders-schema-triggers.sql',
  'shop-schema-post.sql',
];
const EMPTY = classicLayout(new Set(['shop.none']));

const without = (name: string) =>
  missingFromDump(
    shop,
    FILES.filter((each) => each !== name),
    EMPTY,
  );

test('a dump with a file for each object is complete', () => {
  expect(missingFromDump(shop, FILES, EMPTY)).toEqual([]);
  expect(missingFromDump(NOTHING, [], NONE)).toEqual([]);
});

test.each([
  ['shop-schema-create.sql', 'database "shop"'],
  ['shop.orders-schema.sql', 'definition of table "shop.orders"'],
  ['shop.none-schema.sql', 'definition of table "shop.none"'],
  ['shop.all-schema.sql', 'definition of table "shop.all"'],
  ['shop.orders.sql', 'rows of table "shop.orders"'],
  ['shop.recent-schema-view.sql', 'view "shop.recent"'],
  ['shop.orders-schema-triggers.sql', 'triggers of "shop.orders"'],
  ['shop-schema-post.sql', 'routines and events of "shop"'],
])('a dump without %s misses the %s', (fileName, description) => {
  expect(without(fileName)).toEqual([{ fileName, description }]);
});

test('an empty dump misses each object, with its file', () => {
  const missing = missingFromDump(shop, [], NONE).map(({ fileName }) => fileName);
  expect(missing.toSorted()).toEqual(
    [
      ...FILES.filter((name) => name !== 'metadata' && name !== 'shop.recent-schema.sql'),
      'shop.none.sql',
    ].toSorted(),
  );
});

test('a table without rows in the dump must be one that mydumper called empty', () => {
  expect(missingFromDump(shop, FILES, NONE)).toEqual([
    { fileName: 'shop.none.sql', description: 'rows of table "shop.none"' },
  ]);
});

test('a MERGE table has no rows of its own', () => {
  const merge = { ...NOTHING, tables: [table('d', 'm', 'mrg_myisam')] };
  expect(missingFromDump(merge, ['d.m-schema.sql'], NONE)).toEqual([]);
  const plain = { ...NOTHING, tables: [table('d', 'm', 'myisam')] };
  expect(missingFromDump(plain, ['d.m-schema.sql'], NONE)).toHaveLength(1);
});

test.each(['d.t.sql', 'd.t.00001.sql', 'd.t.00000.sql', 'd.t.123456.sql'])(
  '%s holds rows of the table t',
  (fileName) => {
    const contents = { ...NOTHING, tables: [table('d', 't')] };
    expect(missingFromDump(contents, ['d.t-schema.sql', fileName], NONE)).toEqual([]);
  },
);

test.each(['d.t.0001.sql', 'd.t.x.sql', 'd.tt.sql', 'd.t-schema.sql', 'd.t.00001', 'e.t.sql'])(
  '%s does not',
  (fileName) => {
    const contents = { ...NOTHING, tables: [table('d', 't')] };
    const missing = missingFromDump(contents, ['d.t-schema.sql', fileName], NONE);
    expect(missing.map((each) => each.fileName)).toEqual(['d.t.sql']);
  },
);

const numbered: Contents = { ...NOTHING, tables: [table('d', 't'), table('d', 't.00001')] };
const DEFINED = ['d.t-schema.sql', 'd.t.00001-schema.sql'];
const missingIn = (files: readonly string[], empty = NONE) =>
  missingFromDump(numbered, [...DEFINED, ...files], empty).map(({ fileName }) => fileName);

test('a table named t.00001 beside a table t has rows of its own', () => {
  expect(missingIn(['d.t.sql', 'd.t.00001.sql'])).toEqual([]);
  expect(missingIn(['d.t.00001.00001.sql', 'd.t.sql'])).toEqual([]);
  expect(missingIn(['d.t.sql'])).toEqual(['d.t.00001.sql']);
  expect(missingIn(['d.t.00001.sql'], classicLayout(new Set(['d.t'])))).toEqual([]);
});

test('rows of a table named t.00001 are not taken for those of a table t', () => {
  expect(missingIn(['d.t.00001.sql'])).toEqual(['d.t.sql']);
  expect(missingIn(['d.t.00001.00001.sql'])).toEqual(['d.t.sql']);
});

test('an empty table with line ends in its name is found by the first line in the log', () => {
  for (const end of ['\n', '\r', '\u2028']) {
    const contents = { ...NOTHING, tables: [table('d', `one${end}two`)] };
    expect(
      missingFromDump(contents, [`d.one${end}two-schema.sql`], classicLayout(new Set(['d.one']))),
    ).toEqual([]);
  }
});

const MODERN_METADATA = [
  ['shop.orders', 'orders', 2],
  ['shop.mydumper_0', 'a/b', 1],
  ['shop.none', 'none', 0],
  ['shop.recent', 'recent', 0],
] as const;
const modern = (sections: typeof MODERN_METADATA | [] = MODERN_METADATA) =>
  modernLayout({
    realNames: new Map(sections.map(([stem, real]) => [stem, real])),
    rows: new Map(sections.map(([stem, , rows]) => [stem, rows])),
  });
const modernShop: Contents = {
  ...shop,
  tables: [table('shop', 'orders'), table('shop', 'a/b'), table('shop', 'none')],
  triggered: [{ database: 'shop', table: 'a/b' }],
};
const MODERN_FILES = [
  'metadata',
  'shop-schema-create.sql',
  'shop.orders-schema.sql',
  'shop.orders.00000.sql',
  'shop.orders.00000.00001.sql',
  'shop.mydumper_0-schema.sql',
  'shop.mydumper_0.00000.sql',
  'shop.mydumper_0-schema-triggers.sql',
  'shop.none-schema.sql',
  'shop.recent-schema.sql',
  'shop.recent-schema-view.sql',
  'shop-schema-post.sql',
];

test('a dump of mydumper 1.x with a section and files for each object is complete', () => {
  expect(missingFromDump(modernShop, MODERN_FILES, modern())).toEqual([]);
});

test.each([
  ['shop-schema-create.sql', 'database "shop"'],
  ['shop.orders-schema.sql', 'definition of table "shop.orders"'],
  ['shop.mydumper_0.00000.sql', 'rows of table "shop.a/b"'],
  ['shop.mydumper_0-schema-triggers.sql', 'triggers of "shop.a/b"'],
  ['shop.recent-schema-view.sql', 'view "shop.recent"'],
  ['shop-schema-post.sql', 'routines and events of "shop"'],
])('a dump of mydumper 1.x without %s misses the %s', (fileName, description) => {
  const files = MODERN_FILES.filter((name) => name !== fileName);
  expect(missingFromDump(modernShop, files, modern()).map((each) => each.description)).toEqual([
    description,
  ]);
});

test('a table without a section in the metadata of mydumper 1.x is missing', () => {
  const missing = missingFromDump(modernShop, MODERN_FILES, modern([]));
  expect(missing.map(({ description }) => description)).toContain('rows of table "shop.none"');
  expect(missing.map(({ description }) => description)).toContain('definition of table "shop.a/b"');
});

test('only objects from before and after must be in the dump', () => {
  const before: Contents = {
    databases: ['shop', 'dropped'],
    tables: [table('shop', 'orders'), table('shop', 'dropped')],
    views: [{ database: 'shop', table: 'recent' }],
    triggered: [{ database: 'shop', table: 'orders' }],
    programmed: ['shop', 'dropped'],
  };
  const after: Contents = {
    databases: ['created', 'shop'],
    tables: [
      table('shop', 'created'),
      table('shop', 'orders', 'myisam'),
      table('created', 'dropped'),
    ],
    views: [{ database: 'shop', table: 'dropped' }],
    triggered: [{ database: 'shop', table: 'orders' }],
    programmed: ['shop'],
  };
  expect(inBoth(before, after)).toEqual({
    databases: ['shop'],
    tables: [table('shop', 'orders')],
    views: [],
    triggered: [{ database: 'shop', table: 'orders' }],
    programmed: ['shop'],
  });
});

test('names that look alike when joined are kept apart', () => {
  const before = { ...NOTHING, tables: [table('a.b', 'c')] };
  const after = { ...NOTHING, tables: [table('a', 'b.c')] };
  expect(inBoth(before, after).tables).toEqual([]);
});

const name = fc.constantFrom('a', 'b', 'a.b', 't', 't.00001');
const object = fc.record({ database: name, table: name });
const contentsOf = fc.record<Contents>({
  databases: fc.uniqueArray(name),
  tables: fc.array(
    fc.record({ database: name, table: name, engine: fc.constantFrom('innodb', 'myisam') }),
  ),
  views: fc.array(object),
  triggered: fc.array(object),
  programmed: fc.uniqueArray(name),
});

test('objects in both are in the first, and all of them when nothing changed', () => {
  fc.assert(
    fc.property(contentsOf, contentsOf, (before, after) => {
      expect(inBoth(before, before)).toEqual(before);
      const both = inBoth(before, after);
      for (const kind of ['databases', 'tables', 'views', 'triggered', 'programmed'] as const)
        expect(before[kind]).toEqual(expect.arrayContaining([...both[kind]]));
    }),
  );
});
