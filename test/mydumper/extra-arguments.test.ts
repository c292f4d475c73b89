import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { readInvocation } from '../../app/config.ts';
import {
  narrowingFlags,
  narrowsTheDump,
  readExtraArguments,
  surprisesOf,
} from '../../app/mydumper/extra-arguments.ts';
import { OPTIONS } from '../../app/mydumper/options.ts';

const mistakesOf = (words: readonly string[]) => readExtraArguments(words).mistakes.join('\n');

test.each([
  [['--'], /^refuses --:/],
  [['--outputdir=x'], /OUTPUTDIR/],
  [['-mo', 'x'], /OUTPUTDIR/],
  // GLib reads an option of a group with the beginning of the group's name before it.
  [['--connection-password=x'], /PASSWORD/],
  [['--c-host', 'x'], /HOST/],
  [['--help-all'], /mydumper itself/],
  [['--no-trx-tables'], /LOCK_MODE/],
  [['-qo', 'x'], /OUTPUTDIR/],
  // Some options take the next word only when it is no option.
  [['--throttle', '--outputdir=x'], /OUTPUTDIR/],
  [['-x', '-o'], /-x: write --regex=value[\s\S]*OUTPUTDIR/],
  [['--where'], /no value for --where/],
  [['-xT', '^a'], /no value for -T/],
  [['x'], /stray word/],
])('%j is refused', (words, reason) => {
  expect(mistakesOf(words)).toMatch(reason);
});

test.each([
  '--format=CSV',
  '--format=LOAD_DATA',
  '--format=clickhouse',
  '--statement-format=csv',
  '--load-data',
  '--csv',
  '--clickhouse',
  '--fields-terminated-by=;',
  '--lines-terminated-by=x',
  '--statement-terminated-by=x',
])('%s is refused, since a backup holds SQL statements', (word) => {
  expect(readExtraArguments([word]).mistakes).toEqual([
    `refuses ${word.split('=', 1)[0]}: a backup holds SQL statements; leave it out`,
  ]);
});

test.each([
  ['--format', 'CSV'],
  ['--skip-tz-utc'],
  ['--set-names=utf8mb4'],
  ['--default-character-set', 'latin1'],
  ['--compact'],
  ['--no-check-generated-fields'],
  ['--dry-run'],
])('%s %s is refused, since the backup would not load as it was', (...words) => {
  expect(readExtraArguments(words).mistakes).toHaveLength(1);
});

test.each([
  [
    ['--compress-protocol', '--tls-version=TLSv1.2'],
    ['--compress-protocol', '--tls-version=TLSv1.2'],
  ],
  [
    ['--regex', '^a', '-x', '^b', '--skip-ddl-locks', '-m'],
    ['--regex=^a', '--regex=^b', '--skip-ddl-locks', '--no-schemas'],
  ],
  [
    ['-mx', '^a'],
    ['--no-schemas', '--regex=^a'],
  ],
  [
    ['-xm', '^a'],
    ['--regex=^a', '--no-schemas'],
  ],
  [
    ['--filter-regex=^a', '--f-where', 'a=b'],
    ['--regex=^a', '--where=a=b'],
  ],
  [
    ['--no-data=false', '--no-views='],
    ['--no-data', '--no-views'],
  ],
  [
    ['--source-data', '-N', '--throttle', '20'],
    ['--source-data', '--insert-ignore', '--throttle=20'],
  ],
  [['--format=insert'], ['--format=insert']],
  [
    ['--newer', '--newer-still=1', '-q', '-dq', '-1-1'],
    ['--newer', '--newer-still=1', '-q', '-dq', '-1-1'],
  ],
  // Not the option that it ends in.
  [
    ['--no-triggers', '--skip-events'],
    ['--no-triggers', '--skip-events'],
  ],
])('%j is read as %j', (words, read) => {
  expect(readExtraArguments(words)).toEqual({ words: read, mistakes: [] });
});

const LEAVING_OUT = [
  ['--no-data'],
  ['-d'],
  ['-dW'],
  ['-Nd'],
  ['--no-schemas'],
  ['-m'],
  ['--no-views'],
  ['--where=id < 5'],
  ['--where', 'id < 5'],
  ['--tables-list=shop.a'],
  ['-T', 'shop.a'],
  ['-mT', 'shop.a'],
  ['--omit-from-file=x'],
  ['-O', 'x'],
  ['--regex=^a'],
  ['-x', '^a'],
  ['--filter-regex=^a'],
  ['--ignore-engines=MEMORY'],
  ['-i', 'MEMORY'],
  ['--updated-since=1'],
  ['-U', '1'],
  ['--partition-regex=^p'],
  ['--views-as-tables'],
  ['--success-on-1146'],
  ['--ignore-errors=1146'],
  ['--objects-no-data=0'],
];

test.each(LEAVING_OUT)('%s %s counts as narrowing, and objects may be missing', (...written) => {
  const { words, mistakes } = readExtraArguments(written);
  expect(mistakes).toEqual([]);
  expect(narrowingFlags(words).length).toBeGreaterThan(0);
  expect(narrowsTheDump(words)).toBe(true);
});

test.each([
  '--skip-constraints',
  '--skip-indexes',
  '--skip-definer',
  '--replace-definer=x',
  '--newer',
  '-q',
])('%s counts as narrowing, and every object must be there', (word) => {
  const { words } = readExtraArguments([word]);
  expect(narrowingFlags(words)).toEqual([word]);
  expect(narrowsTheDump(words)).toBe(false);
});

test.each([
  '--rows=1000',
  '--rows-hard=1:2',
  '--hex-blob',
  '-N',
  '--replace',
  '--complete-insert',
  '--order-by-primary',
  '--split-partitions',
  '--tz-utc',
  '--events',
  '--long-query-guard=60',
])('%s drops nothing and does not count as narrowing', (word) => {
  const { words } = readExtraArguments([word]);
  expect(narrowingFlags(words)).toEqual([]);
  expect(narrowsTheDump(words)).toBe(false);
});

test('1.x leaves out more than the tables of --ignore-engines, which is a warning', () => {
  const { words } = readExtraArguments(['-i', 'MEMORY']);
  expect(surprisesOf('modern', words)).toEqual([
    expect.stringMatching(/--ignore-engines.*--regex/),
  ]);
  expect(surprisesOf('classic', words)).toEqual([]);
  expect(surprisesOf('modern', ['--no-data'])).toEqual([]);
});

test.each(['--password=geheim', '-p geheim', '-mp geheim', "--connection-password 'geheim'"])(
  'the refusal of %s does not show the password',
  (MYDUMPER_ARGS) => {
    const read = () => readInvocation(['backup'], { BUCKET: 'backups', MYDUMPER_ARGS });
    expect(read).toThrow(/^MYDUMPER_ARGS=\(hidden\): refuses .*set PASSWORD$/);
  },
);

test('a flag that is given twice counts once as narrowing', () => {
  expect(narrowingFlags(['--no-data', '--no-views', '--no-data'])).toEqual([
    '--no-data',
    '--no-views',
  ]);
});

test('every option of the mydumper that is installed is known, with its short form', () => {
  const help = execFileSync('mydumper', ['--help'], { encoding: 'utf8' });
  const listed = [...help.matchAll(/^ {2}(?:-(\S), )?--(\S+)/gm)].map(([, short, long]) => ({
    short,
    long,
  }));
  expect(listed.length).toBeGreaterThan(40);
  const known = new Map(OPTIONS.map(({ long, short }) => [long, short]));
  for (const { short, long = '' } of listed) {
    expect([...known.keys()]).toContain(long);
    // One version may have a short form that another version does not have.
    if (short !== undefined) expect(known.get(long), `--${long}`).toBe(short);
  }
});

test('no two options have one name', () => {
  const names = OPTIONS.flatMap(({ long, short }) =>
    short === undefined ? [long] : [long, short],
  );
  expect(new Set(names).size).toBe(names.length);
});
