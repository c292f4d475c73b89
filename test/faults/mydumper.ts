import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FakeStep, UPSTREAM_VERSION, writeFakeMydumper } from '../support/fake-mydumper.ts';
import { rowNumbers } from '../support/mariadb/sql.ts';
import type { RunningProgram } from '../support/program.ts';
import { createShop, playedInHalves } from '../support/recording/play.ts';
import type { FaultCase } from './case.ts';
import { type Setting, until } from './setting.ts';

const NEVER = { sleepMilliseconds: 600_000 } as const;

/** A run with a mydumper that does these steps, for what the real one cannot be made to do. */
function startFake(
  { world, start }: Setting,
  steps: readonly FakeStep[],
  extra: Record<string, string> = {},
): RunningProgram {
  const directory = join(world.directory, 'fake');
  const binary = writeFakeMydumper(directory, { version: UPSTREAM_VERSION, steps });
  return start({ MYDUMPER_BIN: binary, ...extra });
}

/** The recording that these fakes play is of this database. */
const ofShop = {
  database: 'shop',
  prepare: ({ db }: Setting) => createShop(db),
  cleanup: ({ db }: Setting) => db.query('DROP DATABASE IF EXISTS shop'),
} as const;
const withoutEnd = (): FakeStep[] => playedInHalves().dump;
const file = (name: string): FakeStep[] => [
  { write: name, text: 'INSERT INTO `orders` VALUES(3);\n' },
  { close: name },
];

/** Sends mydumper a signal from outside in the middle of the dump. */
async function signalled(setting: Setting, signal: 'SIGKILL' | 'SIGTERM'): Promise<RunningProgram> {
  const program = await setting.inTheMiddle();
  for (const pid of setting.mydumper()) process.kill(pid, signal);
  setting.world.s3.setBandwidth(undefined);
  return program;
}

/** Something in staging that is no file of a dump. */
function strange(id: string, fault: string, name: string, step: FakeStep): FaultCase {
  return {
    ...ofShop,
    id,
    fault,
    outcome: 'the dump fails, naming it; it is not shipped, and stays where it is',
    exits: [4],
    reason: new RegExp(RegExp.escape(name)),
    leaves: [name],
    run: async (setting) => startFake(setting, [...withoutEnd(), step, ...playedInHalves().end]),
    check: async ({ world }) => {
      const keys = (await world.s3.objects('backups')).map(({ key }) => key);
      if (keys.some((key) => key.includes(name))) throw new Error(`stored: ${keys.join(', ')}`);
    },
  };
}

export const mydumperFaults: readonly FaultCase[] = [
  {
    id: 'mydumper-sigkill',
    fault: 'killed by SIGKILL from outside during the dump',
    outcome: 'the dump fails, naming the signal',
    exits: [4],
    reason: /mydumper was killed by SIGKILL/,
    run: (setting) => signalled(setting, 'SIGKILL'),
  },
  {
    id: 'mydumper-sigterm',
    fault: 'sent SIGTERM from outside during the dump',
    outcome: 'the signal stays pending; the backup is good',
    exits: [0],
    run: (setting) => signalled(setting, 'SIGTERM'),
  },
  {
    id: 'mydumper-sigstop',
    fault: 'stopped by SIGSTOP from outside, again and again',
    outcome: 'the program resumes it; the backup is good',
    exits: [0],
    run: async (setting) => {
      const program = await setting.inTheMiddle();
      setting.world.s3.setBandwidth(undefined);
      await program.printed('"event":"resumed"');
      for (let count = 0; count < 5; count += 1) {
        for (const pid of setting.mydumper()) process.kill(pid, 'SIGSTOP');
        await sleep(50);
      }
      return program;
    },
  },
  {
    ...ofShop,
    id: 'mydumper-error-exit-0',
    fault: 'an error in its log, and exit code 0',
    outcome: 'the dump fails, in mydumper’s own words',
    exits: [4],
    reason: /mydumper reported an error: Could not read data from shop\.orders/,
    run: async (setting) =>
      startFake(setting, [
        ...withoutEnd(),
        ...playedInHalves().end,
        {
          log:
            '** (mydumper:1): CRITICAL **: 08:00:00.000: Could not read data from shop.orders: ' +
            'Lost',
        },
      ]),
  },
  {
    ...ofShop,
    id: 'mydumper-exit-1',
    fault: 'exit code 1 after a dump that looks complete',
    outcome: 'the dump fails, with its last words',
    exits: [4],
    reason: /mydumper ended with exit code 1: .*last words/,
    run: async (setting) =>
      startFake(setting, [
        ...withoutEnd(),
        ...playedInHalves().end,
        { log: '** (mydumper:1): WARNING **: 08:00:00.000: last words' },
        { exit: 1 },
      ]),
  },
  {
    ...ofShop,
    id: 'mydumper-no-metadata',
    fault: 'exit code 0 without its `metadata`',
    outcome: 'the dump fails',
    exits: [4],
    reason: /no metadata/,
    run: async (setting) => startFake(setting, withoutEnd()),
  },
  strange('mydumper-name', 'a file whose name is none of a dump', 'core.12345', {
    write: 'core.12345',
    text: 'core',
  }),
  strange(
    'mydumper-link',
    'a link out of staging, named like a file of a dump',
    'shop.link.00000.sql',
    {
      symlink: ['/etc/passwd', 'shop.link.00000.sql'],
    },
  ),
  strange('mydumper-pipe', 'a pipe, named like a file of a dump', 'shop.pipe.00000.sql', {
    makeFifo: 'shop.pipe.00000.sql',
  }),
  {
    ...ofShop,
    id: 'mydumper-stuck',
    fault: 'does nothing any more, in the middle',
    outcome: 'ended after STALL_TIMEOUT_SECONDS, with what it last said',
    exits: [4],
    reason: new RegExp(
      String.raw`mydumper has done nothing for \d+ s \(STALL_TIMEOUT_SECONDS=3\); the last was: ` +
        '.*MySQL server does nothing for it',
    ),
    run: async (setting) =>
      startFake(setting, [...withoutEnd(), NEVER], { STALL_TIMEOUT_SECONDS: '3' }),
  },
  {
    ...ofShop,
    id: 'mydumper-slow-not-stuck',
    fault: 'does nothing for less than STALL_TIMEOUT_SECONDS, several times',
    outcome: 'waited for; the dump is judged as usual',
    exits: [4],
    reason: /no metadata/,
    soak: true,
    run: async (setting) => {
      const pauses = [0, 1, 2].flatMap((count) => [
        { sleepMilliseconds: 2000 },
        ...file(`shop.orders.0010${count}.sql`),
      ]);
      return startFake(setting, [...withoutEnd(), ...pauses], { STALL_TIMEOUT_SECONDS: '4' });
    },
  },
  {
    id: 'mydumper-not-there',
    fault: 'not installed',
    outcome: 'refused before anything starts',
    exits: [3],
    reason: /MYDUMPER_BIN="\/nowhere\/mydumper": not found/,
    run: async ({ start }) => start({ MYDUMPER_BIN: '/nowhere/mydumper' }),
  },
  {
    id: 'mydumper-waits-for-lock',
    fault: 'waits for its lock behind a long statement of another session',
    outcome:
      'the lock is taken back after 10 s, so that writers continue; a retry a minute later ' +
      'succeeds',
    exits: [0],
    soak: true,
    longestSeconds: 150,
    prepare: async ({ db }) => {
      await db.query('CREATE DATABASE others');
      await db.query('CREATE TABLE others.slow (n int) ENGINE=InnoDB');
      await db.query(`INSERT INTO others.slow SELECT seq FROM ${rowNumbers(db, 100)}`);
    },
    run: async ({ db, start }) => {
      const connection = await db.connect();
      const long = connection.query('UPDATE others.slow SET n = SLEEP(0.2)');
      long.finally(() => connection.end()).catch(() => {});
      await until('it runs', async () => {
        const sleeping = "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'";
        return (await db.query(sleeping)).length > 0;
      });
      return start();
    },
    check: async (_setting, log) => {
      if (
        !log.some(({ message }) =>
          /waited 1\d s for its lock.*retrying in 60 s/.test(String(message)),
        )
      )
        throw new Error('the log does not report that the lock was taken back');
    },
    cleanup: ({ db }) => db.query('DROP DATABASE IF EXISTS others'),
  },
];
