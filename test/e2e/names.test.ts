import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Contents } from '../../app/manifest/completeness.ts';
import { misleadingNames, unsupportedNames } from '../../app/mydumper/naming.ts';
import { type Generation, readVersion } from '../../app/mydumper/version.ts';
import { objectsOf, readOnlyManifest, unpackBackup } from '../support/backup-folder.ts';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { seededRandom } from '../support/mariadb/random.ts';
import { dropAll } from '../support/mariadb/scratch.ts';
import { quoteName } from '../support/mariadb/sql.ts';
import { loadWithMyloader } from '../support/mariadb/tools.ts';
import { logLines, runProgram } from '../support/program.ts';
import { BUCKET, startWorld } from './world.ts';

/** Characters and words to which a file name, a pattern, a statement or a list gives a meaning. */
const PIECES = [
  ...'aB1 _-.,;:\'"`/\\%#*?[](){}<>|&$~!@^=+\n\r\t',
  ...'äß日',
  '\u00a0',
  '\u10000',
  '-schema',
  '-schema-post',
  '.00001',
  '.sql',
  'mydumper_',
  '(null)',
];
const NAMES = 80;
const LONGEST = 64;

let source: MariaDb;
let target: MariaDb;
let generation: Generation;
beforeAll(async () => {
  source = await startMariaDb();
  target = await startMariaDb();
  const path = process.env.PATH ?? '';
  const signal = new AbortController().signal;
  ({ generation } = await readVersion('mydumper', path, signal));
});
afterAll(async () => {
  await source?.stop();
  await target?.stop();
});

function drawNames(seed: number): string[] {
  const random = seededRandom(seed);
  const draw = () => Array.from({ length: 1 + random.int(5) }, () => random.pick(PIECES)).join('');
  const names = Array.from({ length: NAMES }, draw).filter(
    (name) => [...name].length <= LONGEST && !/[\s.]$/.test(name) && !/^\s*$/.test(name),
  );
  // Some servers take names that differ by case or accent for one name.
  const folded = new Set<string>();
  return names.filter((name) => {
    const key = name.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').replace('ß', 's');
    return !folded.has(key) && folded.add(key);
  });
}

const EMPTY: Contents = { databases: [], tables: [], views: [], triggered: [], programmed: [] };

/** Uses each name for a database, a table with a trigger, and a view. */
function contentsOf(names: readonly string[]): Contents {
  const inNames = names.map((table) => ({ database: 'names', table, engine: 'innodb' }));
  const own = names.map((database) => ({ database, table: 't', engine: 'innodb' }));
  return {
    databases: ['names', 'views', ...names],
    tables: [...inNames, ...own],
    views: names.map((table) => ({ database: 'views', table })),
    triggered: inNames,
    programmed: names,
  };
}

const isRefused = (contents: Contents) =>
  [...misleadingNames(contents), ...unsupportedNames(generation, contents, source.vendor)].length >
  0;

/** The names that may stand side by side in one backup, for each kind of object. */
function accepted(names: readonly string[]): Contents {
  let contents: Contents = { ...EMPTY, databases: ['names', 'views'] };
  const add = (more: Partial<Contents>) => {
    const longer: Contents = {
      databases: [...contents.databases, ...(more.databases ?? [])],
      tables: [...contents.tables, ...(more.tables ?? [])],
      views: [...contents.views, ...(more.views ?? [])],
      triggered: [...contents.triggered, ...(more.triggered ?? [])],
      programmed: [...contents.programmed, ...(more.programmed ?? [])],
    };
    if (!isRefused(longer)) contents = longer;
  };
  for (const name of names) {
    const { tables, views, triggered } = contentsOf([name]);
    add({ tables: tables.slice(0, 1), triggered });
    add({ views });
    // 0.10 cannot dump routines of MySQL 9 under any name.
    const programmed = generation === 'classic' && source.vendor === 'mysql' ? [] : [name];
    add({ databases: [name], tables: tables.slice(1), programmed });
  }
  return contents;
}

async function create({
  databases,
  tables,
  views,
  triggered,
  programmed,
}: Contents): Promise<void> {
  for (const name of databases) await source.query(`CREATE DATABASE ${quoteName(name)}`);
  for (const { database, table } of tables) {
    const column = table.includes('`') ? 'odd' : table;
    const name = quoteName(database, table);
    await source.query(
      `CREATE TABLE ${name} (id int PRIMARY KEY, ${quoteName(column)} varchar(99))`,
    );
    await source.query(`INSERT INTO ${name} VALUES (1, ?), (2, NULL)`, [table]);
  }
  for (const { database, table } of views)
    await source.query(`CREATE VIEW ${quoteName(database, table)} AS SELECT 1 AS one`);
  for (const [number, { database, table }] of triggered.entries())
    await source.query(
      `CREATE TRIGGER ${quoteName(database, `trigger ${number}`)} BEFORE INSERT ON ` +
        `${quoteName(database, table)} FOR EACH ROW SET NEW.id = NEW.id`,
    );
  for (const database of programmed)
    await source.query(`CREATE PROCEDURE ${quoteName(database, 'p')}() SELECT 1`);
}

test('each of many odd names is refused beforehand or survives backup and restore', async () => {
  const names = drawNames(1);
  const contents = accepted(names);
  expect(contents.tables.length).toBeGreaterThan(10);
  expect(contents.tables.length).toBeLessThan(2 * names.length);
  await dropAll(source);
  await dropAll(target);
  await create(contents);
  const before = await describeServer(source, contents.databases);
  const world = await startWorld({ db: source });
  onTestFinished(world.stop);
  const { code, stdout } = await runProgram(world.environment());
  expect({ code, reason: logLines(stdout).at(-1)?.reason }).toEqual({ code: 0, reason: undefined });
  const directory = join(world.directory, 'unpacked');
  await unpackBackup(
    objectsOf(world.s3, BUCKET),
    await readOnlyManifest(world.s3, BUCKET),
    directory,
  );
  expect(await loadWithMyloader(target, directory)).toMatchObject({ exitCode: 0 });
  // Neither generation keeps the SQL mode of programs.
  const lost = differences(before, await describeServer(target, contents.databases));
  expect(lost.filter((line) => !/: sql_mode: /.test(line))).toEqual([]);
});
