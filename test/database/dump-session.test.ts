import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../app/database/connection.ts';
import { planDumpSession } from '../../app/database/dump-session.ts';
import { readContents } from '../../app/database/inventory.ts';
import { BUCKET, startWorld } from '../e2e/world.ts';
import { objectsOf, readOnlyManifest, unpackBackup } from '../support/backup-folder.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { startProgram } from '../support/program.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
  await createBulkDatabase(db, { name: 'bulk', megabytes: 1, tables: 12, rowBytes: 1000 });
  // Values with the characters that end a statement of a dump.
  await db.query('CREATE TABLE bulk.text (id int PRIMARY KEY, v text)');
  await db.query('INSERT INTO bulk.text VALUES (1, ?), (2, ?)', ["it's');\n`\\", '";\n--']);
});
afterAll(() => db?.stop());
afterEach(async () => {
  for (const [name, value] of CHANGED) await db.query(`SET GLOBAL ${name} = ${value}`);
});

const CHANGED = [
  ['sql_select_limit', 'DEFAULT'],
  ['max_join_size', 'DEFAULT'],
  ['sql_quote_show_create', '1'],
  ['sql_mode', 'DEFAULT'],
] as const;

async function rowsInDump(): Promise<{ rows: number; text: string }> {
  const world = await startWorld({ db });
  onTestFinished(world.stop);
  const { code, stdout } = await startProgram(world.environment()).ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const target = join(world.directory, 'unpacked');
  await unpackBackup(objectsOf(world.s3, BUCKET), await readOnlyManifest(world.s3, BUCKET), target);
  const contents = readdirSync(target)
    .filter((name) => /^bulk\.\w+(?:\.\d{5})*\.sql$/.test(name))
    .map((name) => readFileSync(join(target, name), 'latin1'));
  const rows = contents.join('\n').match(/^(?:INSERT INTO .*VALUES\s*\(|,\(|\()/gm)?.length ?? 0;
  return { rows, text: readFileSync(join(target, textFile(target)), 'utf8') };
}

const textFile = (target: string) =>
  readdirSync(target).find((name) => /^bulk\.text(?:\.\d{5})*\.sql$/.test(name)) ?? '';

test.for([
  'sql_select_limit = 10',
  'max_join_size = 100',
  'sql_quote_show_create = 0',
  "sql_mode = 'NO_BACKSLASH_ESCAPES'",
  "sql_mode = 'ANSI_QUOTES'",
  "sql_mode = 'ORACLE'",
])('a server with %s as default gives the same dump', async (setting, { skip }) => {
  skip(setting.includes('ORACLE') && db.vendor === 'mysql', 'MySQL has no such mode');
  const before = await rowsInDump();
  expect(before.rows).toBeGreaterThan(500);
  await db.query(`SET GLOBAL ${setting}`);
  expect(await rowsInDump()).toEqual(before);
});

test('our own connection sees all tables of a server with a low sql_select_limit', async () => {
  await db.query('SET GLOBAL sql_select_limit = 2');
  const database = await openDatabase(serverAddress(db));
  onTestFinished(database.close);
  expect((await readContents(database, ['bulk'])).tables).toHaveLength(13);
});

test('a refused setting that the dump needs is named, with the remedy', async () => {
  const refusing = {
    query: async (sql: string, values: readonly (string | number)[] = []) => {
      if (sql.startsWith('SET SESSION sql_select_limit')) throw new Error('Access denied');
      return values[0] === 'sql_select_limit' ? [{ Value: '10' }] : [];
    },
  };
  await expect(planDumpSession(refusing as never)).rejects.toMatchObject({
    kind: 'preflight',
    message: expect.stringMatching(/sql_select_limit.*Access denied.*SET GLOBAL sql_select_limit/s),
  });
});
