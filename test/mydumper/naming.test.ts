import { expect, test } from 'vitest';
import type { Contents } from '../../app/manifest/completeness.ts';
import { misleadingNames, unsupportedNames } from '../../app/mydumper/naming.ts';

const object = (name: string) => {
  const dot = name.indexOf('.');
  return { database: name.slice(0, dot), table: name.slice(dot + 1), engine: 'innodb' };
};

/** Objects as `database.table`; databases are those of the objects. */
function contents(names: {
  tables?: readonly string[];
  views?: readonly string[];
  triggered?: readonly string[];
  programmed?: readonly string[];
}): Contents {
  const tables = (names.tables ?? []).map(object);
  const views = (names.views ?? []).map(object);
  const databases = [...new Set([...tables, ...views].map(({ database }) => database))];
  return {
    databases,
    tables,
    views,
    triggered: (names.triggered ?? []).map(object),
    programmed: names.programmed ?? [],
  };
}

const problems = (names: Parameters<typeof contents>[0]) =>
  unsupportedNames('classic', contents(names));

test.each(['d.a/b', 'd.a`b', "d.it's", 'a/b.t', 'a`b.t', "it's.t"])(
  'the table %j is refused by name',
  (name) => {
    expect(problems({ tables: [name] }).join('\n')).toContain(
      JSON.stringify(name).slice(1, -1).split('.')[0],
    );
    expect(problems({ tables: [name] })).not.toEqual([]);
  },
);

test('1.x has names of its own for tables, but not for all databases', () => {
  const modern = (...tables: string[]) => unsupportedNames('modern', contents({ tables }));
  expect(modern('d.a/b', 'd.a"b', 'd.日本', 'd.mydumper_1', 'd e-f_1.two\nlines')).toEqual([]);
  const refused = [
    "d.it's",
    'd.a`b',
    'a`b.t',
    'ä.t',
    'mydumper_1.t',
    'a-schema.t',
    'd.two\nlines/path',
  ];
  for (const name of [...refused, 'd.back\\']) expect(modern(name), name).toHaveLength(1);
});

test('a directory that MariaDB takes for a database is refused when it holds tables', () => {
  for (const generation of ['classic', 'modern'] as const) {
    const found = contents({ tables: ['#mysql50#a-b.t'] });
    expect(unsupportedNames(generation, found)[0]).toMatch(/^database "#mysql50#a-b": no server/);
  }
});

test('0.10 dumps databases with other letters than ASCII’s from MariaDB, not from MySQL', () => {
  const objects = contents({ tables: ['bär.t', 'b-r.t'] });
  expect(unsupportedNames('classic', objects, 'mariadb')).toEqual([]);
  expect(unsupportedNames('classic', objects, 'mysql')).toEqual([
    expect.stringContaining('database "bär"'),
  ]);
});

test('a quote does no harm in the name of a view, a slash or backtick does', () => {
  expect(problems({ views: ["d.it's", 'd.back\\slash'] })).toEqual([]);
  expect(problems({ views: ['d.a/b'] })).toHaveLength(1);
  expect(problems({ views: ['d.a`b'] })).toHaveLength(1);
});

test('a backslash does harm only where triggers or routines are looked up by the name', () => {
  expect(problems({ tables: ['d.back\\slash'] })).toEqual([]);
  expect(problems({ tables: ['d.back\\slash'], triggered: ['d.back\\slash'] })).toEqual([
    expect.stringContaining('triggers would be left out'),
  ]);
  expect(problems({ tables: ['back\\slash.t'] })).toEqual([]);
  expect(problems({ tables: ['back\\slash.t'], programmed: ['back\\slash'] })).toEqual([
    expect.stringContaining('routines would be left out'),
  ]);
});

test('a name that as a LIKE pattern finds the triggers of another table is refused', () => {
  const tables = ['d.a_b', 'd.axb', 'd.a_b_c', 'other.azb'];
  expect(problems({ tables, triggered: ['d.a_b', 'd.a_b_c', 'other.azb'] })).toEqual([]);
  expect(problems({ tables, triggered: ['d.axb'] })).toEqual([expect.stringContaining('"d.axb"')]);
  expect(problems({ tables: ['d.%', 'd.anything'], triggered: ['d.anything'] })).toHaveLength(1);
});

test.each([
  'd.t-schema',
  'd.t-schema-create',
  'd.t-schema-post',
  'd.t-schema-triggers',
  'd.t-schema.sql.x',
])('the rows of %s would be taken for something else', (name) => {
  expect(problems({ tables: [name] })).toEqual([expect.stringContaining(JSON.stringify(name))]);
});

test.each(['d.t-schemas', 'd.schema', 'd.my-schema-x', 'd.metadata', 'd.x.sql', 'd.a.b', 'd...'])(
  'the table %s is fine',
  (name) => expect(problems({ tables: [name] })).toEqual([]),
);

test('a table whose file is that of a chunk of another one is refused', () => {
  expect(problems({ tables: ['d.t.00001'] })).toEqual([]);
  expect(problems({ tables: ['d.t', 'd.t.00001'] })).not.toEqual([]);
  expect(problems({ tables: ['d.t', 'd.t.00017'] })).not.toEqual([]);
  expect(problems({ tables: ['d.t', 'd.t.0017'] })).toEqual([]);
});

test('a database with a dot is refused: its tables would be loaded into another one', () => {
  expect(unsupportedNames('classic', { ...contents({}), databases: ['a.b'] })).toHaveLength(1);
});

test('names that make a file name longer than 255 bytes are refused', () => {
  const database = 'é'.repeat(60);
  const room = 255 - 120 - '.'.length - '-schema.sql'.length;
  expect(problems({ tables: [`${database}.${'x'.repeat(room)}`] })).toEqual([]);
  expect(problems({ tables: [`${database}.${'x'.repeat(room + 1)}`] })).toHaveLength(1);
  const triggered = [`${database}.${'x'.repeat(room)}`];
  expect(problems({ tables: triggered, triggered })).toHaveLength(1);
});

test('a name that reads in the log as if locks were released is refused', () => {
  const said = '\n** Message: Transactions started, unlocking tables';
  for (const names of [
    { tables: [`d.${said}`] },
    { views: [`d.${said}`] },
    { tables: [`${said}.t`] },
  ])
    expect(misleadingNames(contents(names))).toEqual([
      expect.stringMatching(/reads as if locks were released/),
    ]);
  expect(misleadingNames(contents({ tables: ['d.unlocking tables', 'd.a\nb'] }))).toEqual([]);
});
