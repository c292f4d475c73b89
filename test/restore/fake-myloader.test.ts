import { join } from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { leftInStaging, startWorld, type World } from '../e2e/world.ts';
import { type FakeMyloader, writeFakeMyloader } from '../support/fake-myloader.ts';
import { describeServer, type ServerDescription } from '../support/mariadb/compare.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { processesWith } from '../support/processes.ts';
import { startProgram } from '../support/program.ts';
import {
  databasesOf,
  differencesOfRestore,
  dropAll,
  into,
  makeBackup,
  restoreInto,
} from './setting.ts';

const WAIT = { timeout: 60_000, interval: 20 };
const PIECES = '`mydumper_fargate_restore`.`pieces`';

let world: World;
let copy: MariaDb;
let myloader: FakeMyloader;
let before: ServerDescription;
let times = 0;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb({ config: ['log-bin=binlog', 'server-id=1'] });
  await createBulkDatabase(world.db, { name: 'shop', megabytes: 5, tables: 3 });
  for (const statement of [
    'CREATE TABLE shop.log (id int, t text)',
    'CREATE TRIGGER shop.tidy AFTER UPDATE ON shop.bulk_0 FOR EACH ROW ' +
      'BEGIN INSERT INTO log VALUES (NEW.id, 1); END',
    'CREATE VIEW shop.recent AS SELECT * FROM shop.bulk_1 WHERE status > 3',
    'CREATE PROCEDURE shop.p() BEGIN SELECT 1; SELECT 2; END',
    'CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DO DELETE FROM log',
  ])
    await world.db.query(statement);
  await makeBackup(world);
  before = await describeServer(world.db, ['shop']);
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});
beforeEach(() => {
  times += 1;
  myloader = writeFakeMyloader(join(world.directory, `fake-${times}`));
});
afterEach(() => dropAll(copy));

const options = () => ({ MYLOADER_BIN: myloader.path, STAGING_LIMIT_MB: '4', THREADS: '3' });
const isData = (name: string) => /^[^-]+\.sql$/.test(name);

async function expectRestored(ended: { code: number | null; stdout: string }): Promise<void> {
  expect({ code: ended.code, log: ended.code === 0 ? '' : ended.stdout }).toEqual({
    code: 0,
    log: '',
  });
  expect(ended.stdout).toContain('the restored content matches the backup');
  expect(differencesOfRestore(before, await describeServer(copy, ['shop']))).toEqual([]);
  expect(await databasesOf(copy)).toEqual(['shop']);
  expect(leftInStaging(world)).toEqual([]);
}

test('with 1.x everything is restored, in several runs, into the binary log', async () => {
  await expectRestored(await restoreInto(world, copy, ['--check'], options()));
  const runs = myloader.runs();
  expect(runs.filter(({ files }) => files.some(isData)).length).toBeGreaterThan(2);
  for (const { argv, files } of runs) {
    expect(argv).toContain('--optimize-keys=SKIP');
    expect(argv.join(' ')).not.toContain(copy.password);
    expect(files).toContain('metadata');
  }
  const [log] = await copy.query('SHOW MASTER STATUS');
  const events = await copy.query(`SHOW BINLOG EVENTS IN '${String(log?.File)}'`);
  expect(events.some(({ Info }) => String(Info).includes('INSERT INTO `bulk_2`'))).toBe(true);
});

test('after a kill with a half-loaded file, its table and no other is loaded again', async () => {
  myloader.hold(3);
  const program = startProgram(into(world, copy, options()), ['restore']);
  onTestFinished(() => void program.child.kill('SIGKILL'));
  await vi.waitFor(() => expect(myloader.isHeld()).toBe(true), WAIT);
  program.child.kill('SIGKILL');
  await program.ended;
  await vi.waitFor(() => expect(processesWith(`--directory=${world.staging}`)).toEqual([]), WAIT);
  myloader.hold(0);

  const pieces = await copy.query(`SELECT file, loaded FROM ${PIECES} WHERE begun = 1`);
  const tableOf = (file: unknown) => String(file).split('.')[1];
  const spoiled = new Set(
    pieces.filter(({ loaded }) => loaded === 0).map(({ file }) => tableOf(file)),
  );
  const kept = pieces
    .filter(({ file }) => !spoiled.has(tableOf(file)))
    .map(({ file }) => String(file));
  expect(spoiled.size).toBeGreaterThan(0);
  expect(kept.length).toBeGreaterThan(0);
  // Something of the spoiled ones is in their tables, which a run that only went on would double.
  const rows = await Promise.all(
    [...spoiled].map(async (table) =>
      Number((await copy.query(`SELECT COUNT(*) AS n FROM shop.${table}`))[0]?.n),
    ),
  );
  expect(Math.max(...rows)).toBeGreaterThan(0);

  const earlier = myloader.runs().length;
  const ended = await restoreInto(world, copy, ['--check'], options());
  expect(ended.stdout).toContain('resuming the restore begun at');
  await expectRestored(ended);
  const again = myloader
    .runs()
    .slice(earlier)
    .flatMap(({ files }) => files.filter(isData));
  expect(again.length).toBeGreaterThan(0);
  expect(again.filter((file) => kept.includes(file))).toEqual([]);
});
