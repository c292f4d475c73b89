import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { readVersion } from '../app/mydumper/version.ts';
import { startWorld, type World } from '../test/e2e/world.ts';
import { WITH_BINARY_LOG } from '../test/support/mariadb/binary-log.ts';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';
import { serverProgram } from '../test/support/mariadb/server-program.ts';
import {
  createPrivilegeDatabases,
  DATABASES,
  privilegeUsers,
} from '../test/support/privileges/users.ts';
import { logLines, runProgram } from '../test/support/program.ts';

export const server = await serverProgram();
export const { generation } = await readVersion(
  'mydumper',
  process.env.PATH ?? '',
  AbortSignal.timeout(10_000),
);
/** 0.10 has no statement to ask MySQL 8.4 and later for the position. */
export const asksForPosition = generation === 'modern' || server.vendor === 'mariadb';
/** 0.10 misreads the routines of MySQL 9 for every user, so the program refuses them. */
export const dumpsRoutines = asksForPosition;
export const users = privilegeUsers(server);

type Ran = {
  readonly code: number | null;
  readonly reason: string;
  readonly warnings: readonly string[];
};

/** Starts a server with databases for a file of tests, and for each test a world. */
export function usePrivileges() {
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

  return {
    db: () => db,
    world: () => world,
    /** Replaces the world by one without backups. */
    renewWorld: async (): Promise<void> => {
      await world.stop();
      world = await startWorld({ db });
    },
    createUser: async (grants: readonly string[]): Promise<void> => {
      await db.query("CREATE USER backup@'127.0.0.1' IDENTIFIED BY 'a password'");
      for (const grant of grants) await db.query(`GRANT ${grant} TO backup@'127.0.0.1'`);
    },
    backUp: async (environment: Record<string, string> = {}): Promise<Ran> => {
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
      const failed = lines.find(({ event }) => event === 'failed');
      return { code, reason: String(failed?.reason), warnings };
    },
  };
}

/** The statements that a line says to run. Of alternatives the first. */
export function statementsIn(line: string): string[] {
  const [first = ''] = line.split(/ or(?::|,| leave| set) /);
  return first.match(/GRANT .+? ON .+? TO `backup`@`127\.0\.0\.1`;/g) ?? [];
}

/** Warnings about privileges, without those about the tables of the MyISAM engine. */
export function missingIn(ran: Ran): string[] {
  return [...new Set(ran.warnings.filter((line) => line.startsWith('the MySQL user ')))];
}
