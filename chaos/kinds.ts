import { EXIT } from '../app/contract.ts';
import { ANY, DUMPING, dump, type Kind, RUNNING } from './kind.ts';
import { S3_KINDS } from './kinds-s3.ts';

const LOST_CONNECTION =
  /lost connection|gone away|interrupted|was killed|shutdown|connection|ECONN|can(?:not|'t) (?:connect|check|use)|could not (?:read|execute)|left out|mydumper ended with exit code/i;
const TABLE_CHANGED = /victim|definition has changed|left out/i;
const NO_SPACE = /no space|ENOSPC|could ?n.t write|could not write|errno: 28|\(28\)/i;
const FILE_GONE =
  /vanished|no longer in the staging|is not there|no file |ENOENT|left out|left no metadata|held \d+ bytes|could not (?:open|create|write)/i;
/** mydumper's option file may be among what is gone, and then it has no password. */
const EMPTIED = new RegExp(`${FILE_GONE.source}|using password: NO|defaults file|config`, 'i');

/** Everything that can go wrong, and what the program may make of it. */
export const KINDS = {
  ...S3_KINDS,

  'db-kill-connection': {
    where: 'MariaDB',
    what: 'KILL of a connection',
    weight: 4,
    moments: ANY,
    riddenOut: false,
    explains: [dump(LOST_CONNECTION), { code: EXIT.preflightRefused, reason: LOST_CONNECTION }],
  },
  'db-kill-query': {
    where: 'MariaDB',
    what: 'KILL QUERY of a running statement',
    weight: 3,
    moments: DUMPING,
    riddenOut: false,
    explains: [dump(LOST_CONNECTION), { code: EXIT.preflightRefused, reason: LOST_CONNECTION }],
  },
  'db-kill': {
    where: 'MariaDB',
    what: 'SIGKILL of the server',
    weight: 2,
    moments: ANY,
    riddenOut: false,
    explains: [dump(LOST_CONNECTION), { code: EXIT.preflightRefused, reason: LOST_CONNECTION }],
  },
  'db-restart': {
    where: 'MariaDB',
    what: 'SIGKILL of the server, which comes back',
    weight: 2,
    moments: RUNNING,
    riddenOut: false,
    explains: [dump(LOST_CONNECTION), { code: EXIT.preflightRefused, reason: LOST_CONNECTION }],
  },
  'db-drop-table': {
    where: 'MariaDB',
    what: 'DROP TABLE',
    weight: 4,
    moments: ['spawn', 'started'],
    riddenOut: false,
    explains: [dump(TABLE_CHANGED)],
  },
  'db-alter-table': {
    where: 'MariaDB',
    what: 'ALTER TABLE',
    weight: 4,
    moments: ['spawn', 'started'],
    riddenOut: false,
    explains: [dump(TABLE_CHANGED)],
  },
  'db-lock-table': {
    where: 'MariaDB',
    what: 'a table locked by another session for a while',
    weight: 2,
    moments: ['spawn', 'started'],
    riddenOut: true,
    explains: [],
  },

  'mydumper-kill': {
    where: 'mydumper',
    what: 'SIGKILL from outside',
    weight: 4,
    moments: DUMPING,
    riddenOut: false,
    explains: [dump(/mydumper was killed by SIGKILL/)],
  },
  'mydumper-term': {
    where: 'mydumper',
    what: 'SIGTERM from outside',
    weight: 3,
    moments: DUMPING,
    riddenOut: false,
    explains: [dump(/mydumper was killed by SIGTERM/)],
  },
  'mydumper-stop': {
    where: 'mydumper',
    what: 'SIGSTOP from outside, SIGCONT later',
    weight: 4,
    moments: DUMPING,
    riddenOut: true,
    explains: [],
  },
  'mydumper-cont': {
    where: 'mydumper',
    what: 'SIGCONT from outside',
    weight: 3,
    moments: DUMPING,
    riddenOut: true,
    explains: [],
  },

  'us-term': {
    where: 'program',
    what: 'SIGTERM',
    weight: 5,
    moments: ANY,
    riddenOut: false,
    explains: [{ code: EXIT.interruptedBySigterm, reason: /interrupted by SIGTERM/ }],
  },
  'us-int': {
    where: 'program',
    what: 'SIGINT',
    weight: 4,
    moments: ANY,
    riddenOut: false,
    explains: [{ code: EXIT.interruptedBySigint, reason: /interrupted by SIGINT/ }],
  },
  'us-term-twice': {
    where: 'program',
    what: 'SIGTERM, and another one',
    weight: 3,
    moments: ANY,
    riddenOut: false,
    explains: [{ code: EXIT.interruptedBySigterm, reason: /interrupted by SIGTERM/ }],
  },
  'us-kill': {
    where: 'program',
    what: 'SIGKILL',
    weight: 4,
    moments: ANY,
    riddenOut: false,
    explains: [],
  },
  'us-stop': {
    where: 'program',
    what: 'SIGSTOP, SIGCONT later',
    weight: 4,
    moments: ANY,
    riddenOut: true,
    explains: [],
  },

  'disk-full': {
    where: 'disk',
    what: 'filled from outside for a while',
    weight: 4,
    moments: DUMPING,
    riddenOut: false,
    explains: [3, 4, 5, 6].map((code) => ({ code, reason: NO_SPACE })),
  },
  'disk-file-removed': {
    where: 'disk',
    what: 'a staged file removed',
    weight: 3,
    moments: ['started', 'dumpFinished'],
    riddenOut: false,
    explains: [4, 5, 6].map((code) => ({ code, reason: FILE_GONE })),
  },
  'disk-emptied': {
    where: 'disk',
    what: 'all staged files removed',
    weight: 2,
    moments: ['started', 'dumpFinished'],
    riddenOut: false,
    explains: [3, 4, 5, 6].map((code) => ({ code, reason: EMPTIED })),
  },
  'disk-foreign-file': {
    where: 'disk',
    what: 'a foreign file put into staging',
    weight: 2,
    moments: DUMPING,
    riddenOut: false,
    explains: [3, 4].map((code) => ({ code, reason: /precious\.txt/ })),
  },

  'cloudwatch-error': {
    where: 'CloudWatch',
    what: '500 from then on',
    weight: 2,
    moments: ANY,
    riddenOut: true,
    explains: [],
  },
  'cloudwatch-throttle': {
    where: 'CloudWatch',
    what: 'throttling from then on',
    weight: 2,
    moments: ANY,
    riddenOut: true,
    explains: [],
  },
  'cloudwatch-hang': {
    where: 'CloudWatch',
    what: 'no answer from then on',
    weight: 1,
    moments: ANY,
    riddenOut: true,
    explains: [],
  },
} as const satisfies Record<string, Kind>;

export type FaultKind = keyof typeof KINDS;

export function kindOf(kind: FaultKind): Kind {
  return KINDS[kind];
}
