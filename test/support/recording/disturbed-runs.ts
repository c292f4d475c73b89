import { setTimeout as sleep } from 'node:timers/promises';
import { BULK, WIDE } from './dataset.ts';
import type { Middle, RecordedRun } from './recorded-run.ts';

/** The line at which the rows of the third large table begin. */
const IN_THE_MIDDLE = /`bulk`\.`part_3` \[/;
const ACTING_MILLISECONDS = 500;

function signalled(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR1'): RecordedRun {
  return {
    name: signal.toLowerCase(),
    run: `${signal} while rows are read.`,
    data: [BULK],
    databases: ['bulk'],
    middle: { at: IN_THE_MIDDLE, act: send(signal) },
  };
}

function send(signal: NodeJS.Signals): (here: Middle) => Promise<void> {
  return async ({ tool }) => {
    tool.acted(signal);
    tool.kill(signal);
    await sleep(ACTING_MILLISECONDS);
  };
}

/** Ends the connections that read rows of the wide table. */
async function killReaders({ server, tool }: Middle): Promise<void> {
  await sleep(ACTING_MILLISECONDS);
  const readers = await server.query(
    'SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() ' +
      "AND INFO LIKE 'SELECT %`wide`%'",
  );
  if (readers.length === 0) throw new Error('no connection reads rows of the wide table');
  tool.acted('KILL of the connections that read rows of bulk.wide');
  for (const { id } of readers) await server.query(`KILL ${id}`);
  await sleep(ACTING_MILLISECONDS);
}

/** Runs that a signal, the server or the disk disturbs. */
export const disturbedRuns: readonly RecordedRun[] = [
  signalled('SIGTERM'),
  {
    ...signalled('SIGTERM'),
    name: 'sigterm-early',
    run: 'SIGTERM while definitions are read.',
    middle: { at: /Transactions started/, act: send('SIGTERM') },
  },
  signalled('SIGINT'),
  signalled('SIGHUP'),
  signalled('SIGUSR1'),
  {
    name: 'connection-killed',
    run: 'The server ends the connection that reads rows, in the middle of them.',
    data: [BULK, WIDE],
    databases: ['bulk'],
    middle: { at: /`bulk`\.`wide` \[/, act: killReaders },
  },
  {
    name: 'server-killed',
    run: 'The server is killed while rows are read.',
    data: [BULK],
    databases: ['bulk'],
    middle: {
      at: IN_THE_MIDDLE,
      act: async ({ server, tool }) => {
        tool.acted('SIGKILL to the server');
        await server.kill();
        await sleep(ACTING_MILLISECONDS);
      },
    },
  },
  {
    name: 'table-dropped',
    run: 'A table is dropped before its rows are read.',
    data: [BULK],
    databases: ['bulk'],
    lock: 'none',
    middle: {
      at: /`bulk`\.`part_6` \[/,
      act: async ({ server, tool }) => {
        tool.acted('DROP TABLE bulk.digits');
        await server.query('SET SESSION lock_wait_timeout = 2');
        await server.query('DROP TABLE bulk.digits');
      },
    },
  },
  {
    name: 'disk-full',
    run: 'A disk too small for the dump.',
    data: [BULK],
    databases: ['bulk'],
    diskBytes: 8 * 1024 * 1024,
  },
];
