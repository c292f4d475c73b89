import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readVersion } from '../app/mydumper/version.ts';
import { BUCKET, manifestKeys, startWorld, type World } from '../test/e2e/world.ts';
import { readOnlyManifest } from '../test/support/backup-folder.ts';
import { WITH_BINARY_LOG } from '../test/support/mariadb/binary-log.ts';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';
import { serverProgram } from '../test/support/mariadb/server-program.ts';
import {
  createPrivilegeDatabases,
  DATABASES,
  privilegeUsers,
} from '../test/support/privileges/users.ts';
import { logLines, runProgram } from '../test/support/program.ts';

// Each row of the table of privileges, by the program itself: with the mydumper that is first on
// the PATH, on the server that TEST_SERVER names. The same rows against recordings:
// test/database/privileges.test.ts.

const server = await serverProgram();
const { generation } = await readVersion(
  'mydumper',
  'MYDUMPER_BIN',
  process.env.PATH ?? '',
  AbortSignal.timeout(10_000),
);
/** 0.10 has no statement by which to ask MySQL 8.4 and later for the position. */
const asksForPosition = generation === 'modern' || server.vendor === 'mariadb';
/** 0.10 misreads those of MySQL 9, whoever the user is, and they are refused. */
const dumpsRoutines = asksForPosition;
const users = privilegeUsers(server);

let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb({ config: WITH_BINARY_LOG });
  await createPrivilegeDatabases(db);
  if (!dumpsRoutines)
    for (const routine of ['PROCEDURE shop.p', 'FUNCTION shop.f'])
      await db.query(`DROP ${routine}`);
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(async () => {
  await db.query("DROP USER IF EXISTS backup@'127.0.0.1'");
  await world?.stop();
});

async function createUser(grants: readonly string[]): Promise<void> {
  await db.query("CREATE USER backup@'127.0.0.1' IDENTIFIED BY 'a password'");
  for (const grant of grants) await db.query(`GRANT ${grant} TO backup@'127.0.0.1'`);
}

type Ran = {
  readonly code: number | null;
  readonly reason: string;
  readonly warnings: readonly string[];
};

async function backUp(environment: Record<string, string> = {}): Promise<Ran> {
  const { code, stdout } = await runProgram(
    world.environment({
      USERNAME: 'backup',
      PASSWORD: 'a password',
      DATABASES: DATABASES.join(),
      ...environment,
    }),
  );
  const lines = logLines(stdout);
  const warnings = lines
    .filter(({ event }) => event === 'warning')
    .map(({ message }) => String(message));
  return { code, reason: String(lines.find(({ event }) => event === 'failed')?.reason), warnings };
}

/** The statements a line tells to run. Of alternatives the first. */
function statementsIn(line: string): string[] {
  const [first = ''] = line.split(/ or(?::|,| leave| set) /);
  return first.match(/GRANT .+? ON .+? TO `backup`@`127\.0\.0\.1`;/g) ?? [];
}

/** Warnings about privileges, without those about the tables of the MyISAM engine. */
function lackingIn(ran: Ran): string[] {
  return [...new Set(ran.warnings.filter((line) => line.startsWith('the MySQL user ')))];
}

const BODIES: readonly [lacks: string, lockMode: string, says: RegExp] = [
  'db: bodies of routines',
  'auto',
  /may not read the bodies of routines: "shop\.[fp]", "shop\.[fp]"; run: GRANT S/,
];

/** By what the user of test/support/privileges/users.ts lacks. */
const REFUSED: readonly (readonly [lacks: string, lockMode: string, says: RegExp])[] = [
  ['SELECT', 'auto', /may not read \(SELECT\): "\w+\.\w+", .*; run: GRANT SELECT ON \*\.\* TO/],
  ['db: SELECT', 'auto', /may not read \(SELECT\): .*GRANT SELECT ON `old`\.\* TO/],
  [
    'SELECT on one table',
    'auto',
    /may not read \(SELECT\): "shop\.audit"; run: GRANT SELECT ON `shop`\.\* TO/,
  ],
  [
    'SELECT on a column',
    'auto',
    /may not read \(SELECT\): "shop\.orders"; run: GRANT SELECT ON `shop`\.\*/,
  ],
  [
    'SHOW VIEW',
    'auto',
    /definitions of views \(SHOW VIEW\): "shop\.v"; run: GRANT SHOW VIEW ON \*\.\* TO/,
  ],
  ['db: SHOW VIEW', 'none', /\(SHOW VIEW\): "shop\.v"; run: GRANT SHOW VIEW ON `shop`\.\* TO/],
  ['EVENT', 'auto', /may not list the events \(EVENT\).*GRANT EVENT ON \*\.\* TO/],
  ['db: EVENT', 'none', /\(EVENT\).*GRANT EVENT ON `\w+`\.\* TO.*GRANT EVENT ON `\w+`\.\* TO/],
  ['db: EVENT on one', 'auto', /\(EVENT\).*: "old"; run: GRANT EVENT ON `old`\.\* TO/],
  ['RELOAD', 'ftwrl', /LOCK_MODE="ftwrl": .*\(RELOAD\); run: GRANT RELOAD ON \*\.\* TO/],
  ['LOCK TABLES', 'lock-all', /LOCK_MODE="lock-all": .*GRANT LOCK TABLES ON \*\.\* TO/],
  ['db: LOCK TABLES', 'lock-all', /LOCK_MODE="lock-all": .*GRANT LOCK TABLES ON `old`\.\* TO/],
  ...(dumpsRoutines ? [BODIES] : []),
];

test.each(REFUSED)(
  'a user who lacks %s, LOCK_MODE=%s, is refused, and not after the GRANT',
  async (lacks, mode, says) => {
    await createUser(users[lacks] ?? []);
    const refused = await backUp({ LOCK_MODE: mode });
    expect(refused).toMatchObject({ code: 3, reason: expect.stringMatching(says) });
    expect(await manifestKeys(world)).toEqual([]);
    for (const statement of statementsIn(refused.reason)) await db.query(statement);
    const made = await backUp({ LOCK_MODE: mode });
    expect({ ...made, warnings: lackingIn(made) }).toEqual({
      code: 0,
      reason: 'undefined',
      warnings: [],
    });
    expect((await readOnlyManifest(world.s3, BUCKET)).files.map(({ kind }) => kind)).toContain(
      'view',
    );
  },
);

const POSITION =
  /may not ask for the position in the binary log.*run: GRANT (?:BINLOG MONITOR|REPLICATION CLIENT) ON \*\.\*/;

/** Warnings about privileges of a user who may not ask for it. */
const OF_POSITION = asksForPosition ? [expect.stringMatching(POSITION)] : [];

const WARNED: readonly (readonly [lacks: RegExp, lockMode: string, says: RegExp])[] = [
  [/^TRIGGER$/, 'auto', /cannot see triggers \(TRIGGER\).*"shop".*run: GRANT TRIGGER ON \*\.\* TO/],
  [/^db: TRIGGER$/, 'none', /cannot see triggers \(TRIGGER\).*GRANT TRIGGER ON `old`\.\* TO/],
  [/^db: routines$/, 'auto', /cannot see routines of other users.*"shop".*run: GRANT S/],
  [/^PROCESS$/, 'auto', /cannot see other sessions \(PROCESS\).*run: GRANT PROCESS ON \*\.\* TO/],
  ...(asksForPosition ? ['ftwrl', 'lock-all', 'none'] : []).map(
    (mode) => [/^(?:BINLOG MONITOR|REPLICATION CLIENT)$/, mode, POSITION] as const,
  ),
];

test.each(WARNED)(
  'a user who lacks %s, LOCK_MODE=%s, is warned, and not after the GRANT',
  async (which, mode, says) => {
    const lacks = Object.keys(users).find((name) => which.test(name));
    await createUser(users[lacks ?? ''] ?? []);
    const made = await backUp({ LOCK_MODE: mode });
    expect({ ...made, warnings: lackingIn(made) }).toEqual({
      code: 0,
      reason: 'undefined',
      warnings: [expect.stringMatching(says)],
    });
    const { binlog } = await readOnlyManifest(world.s3, BUCKET);
    expect(binlog === null).toBe(says === POSITION || !asksForPosition);
    await world.stop();
    world = await startWorld({ db });
    for (const statement of statementsIn(lackingIn(made)[0] ?? '')) await db.query(statement);
    const again = await backUp({ LOCK_MODE: mode });
    expect({ ...again, warnings: lackingIn(again) }).toEqual({
      code: 0,
      reason: 'undefined',
      warnings: [],
    });
    expect((await readOnlyManifest(world.s3, BUCKET)).binlog === null).toBe(!asksForPosition);
  },
);

test.each(['formerly sufficient, RELOAD', 'formerly sufficient, LOCK TABLES'])(
  'a user whose privileges were %s goes on having backups, and is told of the position',
  async (who) => {
    await createUser(users[who] ?? []);
    const made = await backUp();
    const lacking = lackingIn(made);
    expect({ ...made, warnings: lacking }).toEqual({
      code: 0,
      reason: 'undefined',
      warnings: OF_POSITION,
    });
    const manifest = await readOnlyManifest(world.s3, BUCKET);
    expect(manifest.binlog).toBeNull();
    expect(manifest.consistency.lock).toBe(who.endsWith('RELOAD') ? 'ftwrl' : 'lock-all');
    expect(manifest.files.filter(({ kind }) => kind === 'data')).toHaveLength(3);
  },
);

test('a user who lacks nothing that matters is neither refused nor warned', async () => {
  const unneeded = /^(?:BACKUP_ADMIN|SLAVE MONITOR)$/;
  const lacks = Object.keys(users).find((name) => unneeded.test(name));
  await createUser(users[lacks ?? 'nothing'] ?? []);
  const made = await backUp();
  expect({ ...made, warnings: lackingIn(made) }).toEqual({
    code: 0,
    reason: 'undefined',
    warnings: [],
  });
});

test('safe-no-lock without the right to ask for the position is refused', async () => {
  await createUser(users['formerly sufficient, RELOAD'] ?? []);
  const { code, reason } = await backUp({ LOCK_MODE: 'safe-no-lock' });
  expect(code).toBe(3);
  expect(reason).toMatch(
    generation === 'classic' ? /mydumper 0\.10 cannot do that/ : /LOCK_MODE="safe-no-lock".*GRANT /,
  );
});

test('all that is lacking is told at once', async () => {
  await createUser(['SELECT ON shop.*', 'TRIGGER ON crm.*', 'INSERT ON old.*']);
  const { code, reason } = await backUp();
  expect(code).toBe(3);
  for (const privilege of ['SELECT', 'SHOW VIEW', 'EVENT', 'RELOAD', 'LOCK TABLES'])
    expect(reason).toContain(`GRANT ${privilege} ON `);
});

test('privileges through a role count once a login activates it, as the refusal says', async () => {
  await db.query('CREATE ROLE backups');
  try {
    for (const grant of users['formerly sufficient, LOCK TABLES'] ?? [])
      await db.query(`GRANT ${grant} TO backups`);
    await createUser([
      'USAGE ON *.*',
      'backups',
      ...DATABASES.map((name) => `INSERT ON ${name}.*`),
    ]);
    const { code, reason } = await backUp();
    expect(code).toBe(3);
    const statement = /SET DEFAULT ROLE .*?;/.exec(reason)?.[0];
    expect(statement).toBeDefined();
    await db.query(statement ?? '');
    expect(await backUp()).toMatchObject({ code: 0 });
  } finally {
    await db.query('DROP ROLE backups');
  }
});

test.runIf(server.vendor === 'mysql')("MySQL's partial revokes are seen", async () => {
  await db.query('SET GLOBAL partial_revokes = ON');
  try {
    await createUser(users.nothing ?? []);
    await db.query("REVOKE SELECT ON old.* FROM backup@'127.0.0.1'");
    const { code, reason } = await backUp();
    expect({ code, reason }).toEqual({
      code: 3,
      reason: expect.stringMatching(/\(SELECT\): "old\.log"; run: GRANT SELECT ON `old`\.\* TO/),
    });
    for (const statement of statementsIn(reason)) await db.query(statement);
    expect(await backUp()).toMatchObject({ code: 0 });
  } finally {
    await db.query("DROP USER IF EXISTS backup@'127.0.0.1'");
    await db.query('SET GLOBAL partial_revokes = OFF');
  }
});
