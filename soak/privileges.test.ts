import { expect, test } from 'vitest';
import { BUCKET, manifestKeys } from '../test/e2e/world.ts';
import { readOnlyManifest } from '../test/support/backup-folder.ts';
import {
  asksForPosition,
  dumpsRoutines,
  missingIn,
  server,
  statementsIn,
  usePrivileges,
  users,
} from './privilege-users.ts';

// The program with each row of the table of privileges: with the mydumper that is first on the
// PATH, on the server that TEST_SERVER names. test/database/privileges.test.ts checks the same rows
// against recordings.

const { db, world, renewWorld, createUser, backUp } = usePrivileges();

const BODIES: readonly [lacks: string, lockMode: string, says: RegExp] = [
  'db: bodies of routines',
  'auto',
  /may not read the bodies of routines: "shop\.[fp]", "shop\.[fp]"; run: GRANT S/,
];

/** MariaDB names triggers to this user, and refuses their text. */
const TRIGGERS: typeof BODIES = [
  'TRIGGER, with INSERT',
  'auto',
  /may not read the triggers \(TRIGGER\) of "shop\.orders"; run: GRANT TRIGGER ON \*\.\* TO/,
];

/** By the missing privilege of the user of test/support/privileges/users.ts. */
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
  ...(server.vendor === 'mariadb' ? [TRIGGERS] : []),
];

test.each(REFUSED)(
  'a user without %s, LOCK_MODE=%s, is refused, and accepted after the GRANT',
  async (lacks, mode, says) => {
    await createUser(users[lacks] ?? []);
    const refused = await backUp({ LOCK_MODE: mode });
    expect(refused).toMatchObject({ code: 3, reason: expect.stringMatching(says) });
    expect(await manifestKeys(world())).toEqual([]);
    for (const statement of statementsIn(refused.reason)) await db().query(statement);
    const made = await backUp({ LOCK_MODE: mode });
    expect({ ...made, warnings: missingIn(made) }).toEqual({
      code: 0,
      reason: 'undefined',
      warnings: [],
    });
    expect((await readOnlyManifest(world().s3, BUCKET)).files.map(({ kind }) => kind)).toContain(
      'view',
    );
  },
);

const POSITION = new RegExp(
  'may not ask for the position in the binary log.*' +
    'run: GRANT (?:BINLOG MONITOR|REPLICATION CLIENT) ON \\*\\.\\*',
);

/** Warnings about privileges of a user who may not ask for the position. */
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
  'a user without %s, LOCK_MODE=%s, is warned, and not after the GRANT',
  async (which, mode, says) => {
    const lacks = Object.keys(users).find((name) => which.test(name));
    await createUser(users[lacks ?? ''] ?? []);
    const made = await backUp({ LOCK_MODE: mode });
    expect({ ...made, warnings: missingIn(made) }).toEqual({
      code: 0,
      reason: 'undefined',
      warnings: [expect.stringMatching(says)],
    });
    const { binlog } = await readOnlyManifest(world().s3, BUCKET);
    expect(binlog === null).toBe(says === POSITION || !asksForPosition);
    await renewWorld();
    for (const statement of statementsIn(missingIn(made)[0] ?? '')) await db().query(statement);
    const again = await backUp({ LOCK_MODE: mode });
    expect({ ...again, warnings: missingIn(again) }).toEqual({
      code: 0,
      reason: 'undefined',
      warnings: [],
    });
    expect((await readOnlyManifest(world().s3, BUCKET)).binlog === null).toBe(!asksForPosition);
  },
);

test.each(['formerly sufficient, RELOAD', 'formerly sufficient, LOCK TABLES'])(
  'a user whose privileges were %s still gets backups, with a warning of the position',
  async (who) => {
    await createUser(users[who] ?? []);
    const made = await backUp();
    expect({ ...made, warnings: missingIn(made) }).toEqual({
      code: 0,
      reason: 'undefined',
      warnings: OF_POSITION,
    });
    const manifest = await readOnlyManifest(world().s3, BUCKET);
    expect(manifest.binlog).toBeNull();
    expect(manifest.consistency.lock).toBe(who.endsWith('RELOAD') ? 'ftwrl' : 'lock-all');
    expect(manifest.files.filter(({ kind }) => kind === 'data')).toHaveLength(3);
  },
);

test('a user without an unneeded privilege is neither refused nor warned', async () => {
  const unneeded = /^(?:BACKUP_ADMIN|SLAVE MONITOR)$/;
  const lacks = Object.keys(users).find((name) => unneeded.test(name));
  await createUser(users[lacks ?? 'nothing'] ?? []);
  const made = await backUp();
  expect({ ...made, warnings: missingIn(made) }).toEqual({
    code: 0,
    reason: 'undefined',
    warnings: [],
  });
});
