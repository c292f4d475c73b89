import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { databaseRegex, databasesSelectedBy } from '../../app/mydumper/database-regex.ts';

/**
 * Perl reads expressions as PCRE does. Both generations match case-insensitively and line by line.
 */
function selected(regex: string, names: readonly string[]): string[] {
  const script = 'my $r = qr/$ENV{REGEX}/im; print join("", map { $_ =~ $r ? 1 : 0 } @ARGV)';
  const output = execFileSync('perl', ['-e', script, '--', ...names], {
    env: { REGEX: regex },
    encoding: 'utf8',
  });
  return names.filter((_name, index) => output[index] === '1');
}

/** The names that each generation matches for the definition of a database. */
const definitions = (database: string) => [database, `${database}.(null)`];

test('the default leaves out system schemas, tables and definitions, in any letter case', () => {
  const system = ['mysql', 'sys', 'information_schema', 'performance_schema', 'MySQL'];
  const own = ['shop', 'mysql_copy', 'sysadmin', 'my', 'shop\nmysql'];
  const names = (databases: string[]) =>
    databases.flatMap((name) => [...definitions(name), `${name}.user`]);
  expect(selected(databaseRegex([]), [...names(system), ...names(own)])).toEqual(names(own));
});

test('the default leaves out directories that MariaDB takes for databases', () => {
  const names = ['#mysql50#lost+found', '#mysql50#a-b', 'mysql50', '#mysql5'].flatMap(definitions);
  expect(selected(databaseRegex([]), names)).toEqual(['mysql50', '#mysql5'].flatMap(definitions));
});

test.each(['shop', 'it.is', 'a b', 'a+b(c)|d', 'x-y', '#1', '日本', 'a\\b'])(
  'with DATABASES=%s both generations write its definition and its tables, and no others',
  (database) => {
    const wanted = [...definitions(database), `${database}.orders`];
    const others = [
      'shops',
      'ashop',
      'SHOP',
      'other',
      'mysql',
      `x\n${database}`,
      'it',
      'abc',
      '日',
    ];
    const names = others
      .filter((name) => name !== database)
      .flatMap((name) => [...definitions(name), `${name}.orders`]);
    expect(selected(databaseRegex([database]), [...wanted, ...names])).toEqual(wanted);
  },
);

const contents = {
  databases: ['shop', 'blog'],
  tables: [
    { database: 'shop', table: 'orders', engine: 'innodb' },
    { database: 'blog', table: 'posts', engine: 'innodb' },
  ],
  views: [{ database: 'shop', table: 'recent' }],
  triggered: [],
  programmed: [],
};

test('an expression of the user selects tables, and the definitions of their databases', () => {
  const expression = '^shop\\.orders$';
  const defined = databasesSelectedBy(expression, contents);
  expect(defined).toEqual(['shop']);
  const names = ['shop', 'blog', 'mysql'].flatMap((name) => [
    ...definitions(name),
    `${name}.orders`,
    `${name}.posts`,
  ]);
  expect(selected(databaseRegex([], expression, defined), names)).toEqual([
    'shop',
    'shop.(null)',
    'shop.orders',
  ]);
});

test.each([
  '^shop\\.(?!x)',
  '(?i)SHOP\\.',
  '\\Ashop\\.',
  '^[[:alpha:]]+\\.orders',
  '(?>shop)\\.',
  'nothing',
])(
  'where JavaScript cannot read %s as PCRE does, or nothing matches, no definition is lost',
  (expression) => {
    const defined = databasesSelectedBy(expression, contents);
    expect(defined === 'all' || defined.includes('shop')).toBe(true);
    const regex = databaseRegex(['shop', 'blog'], expression, defined);
    expect(selected(regex, definitions('shop'))).toEqual(definitions('shop'));
  },
);

test('very many databases do not make an argument that Linux refuses', () => {
  const many = Array.from({ length: 5000 }, (_, index) => `database_with_a_long_name_${index}`);
  const tables = many.map((database) => ({ database, table: 't', engine: 'innodb' }));
  expect(databasesSelectedBy('t$', { ...contents, databases: many, tables })).toBe('all');
});
