import { expect, test } from 'vitest';
import { DATABASES } from '../test/support/privileges/users.ts';
import { generation, server, statementsIn, usePrivileges, users } from './privilege-users.ts';

const { db, createUser, backUp } = usePrivileges();

test('safe-no-lock without the privilege for the position is refused', async () => {
  await createUser(users['formerly sufficient, RELOAD'] ?? []);
  const { code, reason } = await backUp({ LOCK_MODE: 'safe-no-lock' });
  expect(code).toBe(3);
  expect(reason).toMatch(
    generation === 'classic' ? /mydumper 0\.10 cannot do that/ : /LOCK_MODE="safe-no-lock".*GRANT /,
  );
});

test('one refusal names all missing privileges', async () => {
  await createUser(['SELECT ON shop.*', 'TRIGGER ON crm.*', 'INSERT ON old.*']);
  const { code, reason } = await backUp();
  expect(code).toBe(3);
  for (const privilege of ['SELECT', 'SHOW VIEW', 'EVENT', 'RELOAD', 'LOCK TABLES'])
    expect(reason).toContain(`GRANT ${privilege} ON `);
});

test('privileges of a role count once a login activates it, as the refusal says', async () => {
  await db().query('CREATE ROLE backups');
  try {
    for (const grant of users['formerly sufficient, LOCK TABLES'] ?? [])
      await db().query(`GRANT ${grant} TO backups`);
    await createUser([
      'USAGE ON *.*',
      'backups',
      ...DATABASES.map((name) => `INSERT ON ${name}.*`),
    ]);
    const { code, reason } = await backUp();
    expect(code).toBe(3);
    const statement = /SET DEFAULT ROLE .*?;/.exec(reason)?.[0];
    expect(statement).toBeDefined();
    await db().query(statement ?? '');
    expect(await backUp()).toMatchObject({ code: 0 });
  } finally {
    await db().query('DROP ROLE backups');
  }
});

test.runIf(server.vendor === 'mysql')("MySQL's partial revokes are noticed", async () => {
  await db().query('SET GLOBAL partial_revokes = ON');
  try {
    await createUser(users.nothing ?? []);
    await db().query("REVOKE SELECT ON old.* FROM backup@'127.0.0.1'");
    const { code, reason } = await backUp();
    expect({ code, reason }).toEqual({
      code: 3,
      reason: expect.stringMatching(/\(SELECT\): "old\.log"; run: GRANT SELECT ON `old`\.\* TO/),
    });
    for (const statement of statementsIn(reason)) await db().query(statement);
    expect(await backUp()).toMatchObject({ code: 0 });
  } finally {
    await db().query("DROP USER IF EXISTS backup@'127.0.0.1'");
    await db().query('SET GLOBAL partial_revokes = OFF');
  }
});
