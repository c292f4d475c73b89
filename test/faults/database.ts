import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import type { FaultCase } from './case.ts';
import { type Setting, until } from './setting.ts';

const LOST =
  /mydumper.*(?:Lost connection|gone away|Could not read data|interrupted|shutdown|Can't connect)/i;
const FAILED = 'the dump fails, in mydumper’s own words';

/** Changes a table on another connection while mydumper is paused and has not reached it yet. */
function changed(id: string, fault: string, statement: string): FaultCase {
  let changing: Promise<unknown> | undefined;
  return {
    id,
    fault,
    outcome:
      'the table is in the backup as it was at the start, or the dump fails, naming the table',
    exits: [0, 4],
    reason: /mydumper.*bulk_2/,
    database: 'changing',
    prepare: ({ db }) =>
      createBulkDatabase(db, { name: 'changing', megabytes: 13, tables: 3, rowBytes: 1000 }),
    run: async ({ db, world, inTheMiddle }) => {
      const program = await inTheMiddle({ THREADS: '1' });
      const connection = await db.connect();
      // May have to wait until the dump has ended.
      changing = connection.query(statement).finally(() => connection.end());
      world.s3.setBandwidth(undefined);
      return program;
    },
    cleanup: async ({ db }) => {
      await changing;
      await db.query('DROP DATABASE IF EXISTS changing');
    },
  };
}

/** A user as the README describes it, without the right to write to a read-only server. */
async function createReader(db: Setting['db']): Promise<Record<string, string>> {
  await db.query("CREATE OR REPLACE USER reader@'127.0.0.1' IDENTIFIED BY 'reads'");
  await db.query(
    "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, PROCESS, RELOAD ON *.* TO reader@'127.0.0.1'",
  );
  return { USERNAME: 'reader', PASSWORD: 'reads' };
}

let temporary: string | undefined;

export const databaseFaults: readonly FaultCase[] = [
  {
    id: 'db-wrong-password',
    fault: 'a wrong password',
    outcome: 'refused before anything starts; the password appears nowhere',
    exits: [3],
    reason: /cannot connect to MySQL at 127\.0\.0\.1:\d+ as root: Access denied/,
    run: async ({ start }) => start({ PASSWORD: 'wrong-one' }),
    check: async (_setting, log) => {
      if (JSON.stringify(log).includes('wrong-one')) throw new Error('the password was logged');
    },
  },
  {
    id: 'db-nothing-listening',
    fault: 'nothing listening at HOST and PORT',
    outcome: 'refused before anything starts',
    exits: [3],
    reason: /cannot connect to MySQL at 127\.0\.0\.1:1 as root: connection refused/,
    run: async ({ start }) => start({ PORT: '1' }),
  },
  {
    id: 'db-killed',
    fault: 'the server killed during the dump',
    outcome: FAILED,
    exits: [4],
    reason: LOST,
    run: async ({ db, inTheMiddle, world }) => {
      const program = await inTheMiddle();
      await db.kill();
      world.s3.setBandwidth(undefined);
      return program;
    },
    cleanup: ({ db }) => db.restart(),
  },
  {
    id: 'db-restarted',
    fault: 'the server restarted during the dump',
    outcome: FAILED,
    exits: [4],
    reason: LOST,
    run: async ({ db, inTheMiddle, world }) => {
      const program = await inTheMiddle();
      await db.restart();
      world.s3.setBandwidth(undefined);
      return program;
    },
  },
  {
    id: 'db-connection-killed',
    fault: 'mydumper’s connections killed by an administrator',
    outcome: FAILED,
    exits: [4],
    reason: LOST,
    run: async ({ db, inTheMiddle, world }) => {
      const program = await inTheMiddle();
      // Each thread of mydumper reads in a transaction, even when the server has no rows left to
      // send.
      const reading = 'SELECT trx_mysql_thread_id AS id FROM information_schema.INNODB_TRX';
      for (const { id } of await db.query(reading)) await db.query(`KILL ${id}`);
      world.s3.setBandwidth(undefined);
      return program;
    },
  },
  {
    id: 'db-stopped-before',
    fault: 'a server that takes the connection and never answers',
    outcome: 'refused before anything starts, at the latest after 10 s or QUERY_TIMEOUT_SECONDS',
    exits: [3],
    reason: /cannot connect to MySQL at .*: no answer; check HOST, PORT/,
    run: async ({ db, start }) => {
      process.kill(db.pid, 'SIGSTOP');
      return start({ QUERY_TIMEOUT_SECONDS: '1' });
    },
    cleanup: async ({ db }) => process.kill(db.pid, 'SIGCONT'),
  },
  {
    id: 'db-stopped-in-preflight',
    fault: 'a server that stops answering in the middle of the preflight',
    outcome: 'refused after QUERY_TIMEOUT_SECONDS',
    exits: [3],
    reason: /QUERY_TIMEOUT_SECONDS=1|no answer/,
    run: async ({ db, start }) => {
      await db.query("SET GLOBAL init_connect = 'DO SLEEP(0.4)'");
      const reader = await createReader(db);
      const program = start({ ...reader, QUERY_TIMEOUT_SECONDS: '1' });
      await until('the program is connected', async () => {
        const rows = await db.query(
          "SELECT 1 FROM information_schema.PROCESSLIST WHERE USER = 'reader'",
        );
        return rows.length > 0;
      });
      process.kill(db.pid, 'SIGSTOP');
      return program;
    },
    cleanup: async ({ db }) => {
      process.kill(db.pid, 'SIGCONT');
      await db.query("SET GLOBAL init_connect = ''");
    },
  },
  {
    id: 'db-stopped-in-dump',
    fault: 'a server that stops answering during the dump',
    outcome: 'the dump fails after STALL_TIMEOUT_SECONDS, with what mydumper last did',
    exits: [4],
    reason: new RegExp(
      String.raw`mydumper has done nothing for \d+ s \(STALL_TIMEOUT_SECONDS=3\); the last was: ` +
        '.*the MySQL server cannot be asked: .*no answer',
    ),
    run: async ({ db, inTheMiddle, world }) => {
      const program = await inTheMiddle({ STALL_TIMEOUT_SECONDS: '3', QUERY_TIMEOUT_SECONDS: '3' });
      process.kill(db.pid, 'SIGSTOP');
      world.s3.setBandwidth(undefined);
      return program;
    },
    cleanup: async ({ db }) => process.kill(db.pid, 'SIGCONT'),
  },
  changed('db-table-dropped', 'a table dropped during the dump', 'DROP TABLE changing.bulk_2'),
  changed(
    'db-table-altered',
    'a table altered during the dump',
    'ALTER TABLE changing.bulk_2 ADD COLUMN more int NOT NULL DEFAULT 7 AFTER id, MODIFY ' +
      'note text, DROP COLUMN hash',
  ),
  {
    id: 'db-read-only',
    fault: 'a server that is read-only',
    outcome: 'a good backup',
    exits: [0],
    run: async (setting) => {
      const reader = await createReader(setting.db);
      await setting.db.query('SET GLOBAL read_only = 1');
      return setting.start(reader);
    },
    cleanup: ({ db }) => db.query('SET GLOBAL read_only = 0'),
  },
  {
    id: 'db-no-temporary-files',
    fault: 'a server that can write no temporary files',
    outcome: 'a good backup, or a failure with the server’s own words',
    exits: [0, 3, 4],
    reason: /Can't create\/write to file|Errcode: 2|No such file/,
    prepare: async ({ db }) => {
      temporary = await mkdtemp(join(tmpdir(), 'mf-server-tmp-'));
      await db.restart([`tmpdir=${temporary}`]);
      await rm(temporary, { recursive: true });
    },
    run: async ({ start }) => start(),
    cleanup: ({ db }) => db.restart(),
  },
];
