import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectFailure, runFake } from '../support/fake-run.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { createShop, played } from '../support/recording/play.ts';
import { startWorld, type World } from './world.ts';

let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  await createShop(db);
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(() => world?.stop());

const MARIADB = 'libmariadb/mariadb-10.11';
const MYSQL = 'mysql-client/mysql-9';

/** Runs of a real 1.x that the stand-in plays, and the reason that the program reports. */
const FAULTS: readonly (readonly [recording: string, reason: RegExp])[] = [
  [`${MARIADB}/connection-killed`, /reported an error: .*Could not read data from bulk\.wide/],
  [
    `${MARIADB}/disk-full`,
    /reported an error: Couldn't write data to a file.*No space left on device/,
  ],
  [`${MARIADB}/server-killed`, /reported an error: .*Lost connection/],
  [`${MARIADB}/table-dropped`, /reported an error: .*Table 'bulk\.digits' doesn't exist/],
  [`${MARIADB}/sigterm`, /end before the dump was complete: Shutting down gracefully/],
  [`${MARIADB}/sigterm-early`, /end before the dump was complete: Shutting down gracefully/],
  [`${MYSQL}/sigterm`, /end before the dump was complete: Shutting down gracefully/],
  [`${MARIADB}/sigint`, /killed by SIGKILL/],
  [`${MARIADB}/not-empty`, /reported an error: Directory is not empty/],
  [
    `${MARIADB}/unknown-option`,
    /reported an error: option parsing failed: Unknown option --no-such-option/,
  ],
  [`${MARIADB}/wrong-password`, /reported an error: Error connection to database: Access denied/],
  [`${MARIADB}/user-without-binlog`, /exit code 1: Couldn't get master position - ERROR 1227/],
  [`${MARIADB}/user-without-event`, /reported an error: Error dumping events from shop/],
  [`${MARIADB}/user-without-select`, /SELECT command denied/],
  [`${MARIADB}/user-without-show-view`, /reported an error: .*SHOW VIEW command denied/],
  [`${MARIADB}/user-without-locks-ftwrl`, /killed by SIGSEGV: Flush tables failed.*RELOAD/],
  [
    `${MARIADB}/user-without-locks-lock-all`,
    /reported an error: Lock all tables fail: Access denied/,
  ],
  [`${MARIADB}/without-engines`, /reported an error: Non transactional table found/],
  [`${MYSQL}/explain-format-tree`, /killed by SIGSEGV/],
  [`${MYSQL}/database-not-ascii`, /reported an error: Could not select database/],
];

test.each(FAULTS)('a run of 1.x that ended as in %s is no backup', async (recording, reason) => {
  await expectFailure(world, await runFake(world, played(recording)), 4, reason);
});

test.each([
  'lock-lock-all',
  'lock-none',
  'user',
  'user-without-position',
  'user-without-locks-none',
])('a run of 1.x that ended as in %s is a backup', async (run) => {
  const { code, stdout } = await runFake(world, played(`${MARIADB}/${run}`));
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
});

test('a run of 1.x that left out triggers silently is no backup', async () => {
  const ended = await runFake(world, played(`${MARIADB}/user-without-trigger`));
  await expectFailure(world, ended, 4, /left out: triggers of "shop\.orders"/);
});
