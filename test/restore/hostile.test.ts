import { expect, test, vi } from 'vitest';
import { BUCKET } from '../e2e/world.ts';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { startProgram } from '../support/program.ts';
import { forge } from './forged.ts';
import { copy, put, useKeptBackup, world } from './kept-backup.ts';
import { databasesOf, into, makeBackup, restoreInto } from './setting.ts';

useKeptBackup();

/** The object of a table's rows in that backup. */
async function readKey(of: string): Promise<Buffer> {
  const objects = await world.s3.objects(BUCKET);
  const found = objects.find(({ key }) => DATA.test(key.slice(of.length).replace(/\.zst$/, '')));
  return world.s3.readObject(BUCKET, found?.key ?? '');
}

const DATA = /^shop\.bulk_0\.(?:\d+\.)*sql$/;
/** An INSERT of a row more, before the last statement's end. */
const before = (end: string, text: string) => (content: string) =>
  `${content.slice(0, content.lastIndexOf(end))}${text}${content.slice(content.lastIndexOf(end))}`;

test.each([
  ['another statement behind a NUL', (text: string) => `${text}\0DROP DATABASE mysql;\n`],
  ['another statement', (text: string) => `${text}CREATE TABLE other (a int);\n`],
  ['rows of a query', (text: string) => `${text}INSERT INTO \`bulk_0\` SELECT * FROM bulk_1;\n`],
  ['an update of rows', before(';', ' ON DUPLICATE KEY UPDATE id = 1')],
  ['rows for another table', (text: string) => `${text}INSERT INTO \`bulk_1\` VALUES (1);\n`],
  ['rows for another database', (text: string) => `${text}INSERT INTO mysql.db VALUES (1);\n`],
  ['a function as a value', (text: string) => `${text}INSERT INTO \`bulk_0\` VALUES (user());\n`],
  ['a file without an end', (text: string) => text.replace(/;\s*$/, '')],
])('%s among the rows is refused, and no row of the table stays', async (_title, change) => {
  const key = await forge(DATA, change);
  const { code, stdout } = await restoreInto(world, copy);
  expect(code).toBe(8);
  expect(stdout).toContain(`${key}: `);
  expect(stdout).toMatch(/it holds|is not as mydumper writes it|ends within/);
  expect(await copy.query('SELECT * FROM shop.bulk_0 LIMIT 1')).toEqual([]);
  expect(await databasesOf(copy)).toEqual(['mydumper_fargate_restore', 'shop']);
});

test('rows that differ from the backup do not stay, and the next run refuses them again', async () => {
  const changed = (text: string) => text.replace(/"[0-9a-f]{8}/, '"00000000');
  const key = await forge(DATA, changed, { agrees: false });
  for (let times = 0; times < 2; times += 1) {
    const { code, stdout } = await restoreInto(world, copy, [], { RESTORE_TRANSACTION_MB: '1' });
    expect(code).toBe(8);
    expect(stdout).toContain(key);
    expect(await copy.query('SELECT * FROM shop.bulk_0 LIMIT 1')).toEqual([]);
  }
});

test.each([
  ['/bulk_0-schema', /^shop\.bulk_0-schema\.sql$/, 'DROP DATABASE mysql;\n'],
  ['a table elsewhere', /^shop\.bulk_0-schema\.sql$/, 'CREATE TABLE `mysql`.`x` (a int);\n'],
  ['another table', /^shop\.bulk_0-schema\.sql$/, 'CREATE TABLE `x` (a int);\n'],
  ['rows of a query', /^shop\.bulk_0-schema\.sql$/, 'CREATE TABLE `bulk_0` (a int) SELECT 1;\n'],
  ['a setting of the server', /^shop\.bulk_0-schema\.sql$/, 'SET GLOBAL read_only = 1;\n'],
])('%s among definitions is refused', async (_title, name, statement) => {
  const key = await forge(name, (text) => `${text}${statement}`);
  const { code, stdout } = await restoreInto(world, copy);
  expect(code).toBe(8);
  expect(stdout).toContain(`${key}: it holds a statement that does not belong there`);
});

test('wrong rows committed before a kill do not stay when the object is right again', async () => {
  const changed = (text: string) => text.replace(/"[0-9a-f]{8}/, '"00000000');
  const source = { SOURCE: 'whole-tables' };
  const of = await makeBackup(world, { ...source, CHUNK_FILE_SIZE_MB: '1024' });
  const right = await readKey(of);
  const key = await forge(DATA, changed, { agrees: false, of });
  world.s3.setBandwidth(5e5);
  const options = { ...source, RESTORE_TRANSACTION_MB: '1', THREADS: '1' };
  const running = startProgram(into(world, copy, options), ['restore']);
  await vi.waitFor(
    async () =>
      expect(
        await copy.query('SELECT 1 FROM mydumper_fargate_restore.files WHERE loaded_bytes > 0'),
      ).toHaveLength(1),
    { timeout: 30_000, interval: 5 },
  );
  running.child.kill('SIGKILL');
  await running.ended;
  world.s3.setBandwidth(undefined);
  await put(key, right);
  const refused = await restoreInto(world, copy, [], options);
  expect(refused.code).toBe(8);
  expect(refused.stdout).toContain(`${key}: its content is not the one of which rows were loaded`);
  const { code, stdout } = await restoreInto(world, copy, ['--check'], options);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const before = await describeServer(world.db, ['shop']);
  expect(differences(before, await describeServer(copy, ['shop']))).toEqual([]);
});

test('one statement with all rows, above max_allowed_packet, is cut at its rows', async () => {
  const source = { SOURCE: 'one-statement' };
  const of = await makeBackup(world, { ...source, CHUNK_FILE_SIZE_MB: '1024' });
  let joined = 0;
  await forge(
    DATA,
    (text) =>
      text.replace(/\)\s*;\s*INSERT INTO `bulk_0`(?: \([^)]*\))? VALUES\s*\(/g, () => {
        joined += 1;
        return '),(';
      }),
    { of },
  );
  expect(joined).toBeGreaterThan(0);
  await copy.query('SET GLOBAL max_allowed_packet = 262144');
  const { code, stdout } = await restoreInto(world, copy, ['--check'], source);
  await copy.query('SET GLOBAL max_allowed_packet = 67108864');
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const before = await describeServer(world.db, ['shop']);
  expect(differences(before, await describeServer(copy, ['shop']))).toEqual([]);
});
