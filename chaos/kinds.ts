import { EXIT } from '../app/contract.ts';
import type { Moment } from './plan.ts';

/** An ending that a fault accounts for: the code, and a reason that names the cause. */
export type Explanation = { readonly code: number; readonly reason: RegExp };

export type Kind = {
  readonly where: 'S3' | 'MariaDB' | 'mydumper' | 'program' | 'disk' | 'CloudWatch';
  readonly what: string;
  /** How often it is drawn, compared with the others. */
  readonly weight: number;
  readonly moments: readonly Moment[];
  /** Nothing but a backup is right when no other fault has struck. */
  readonly riddenOut: boolean;
  readonly explains: readonly Explanation[];
  /** Requests are sent again for nothing: retries are kept short, so that the run is over soon. */
  readonly lasting?: true;
};

const ANY: readonly Moment[] = ['spawn', 'started', 'dumpFinished', 'manifest'];
const RUNNING: readonly Moment[] = ['started', 'dumpFinished', 'manifest'];
const DUMPING: readonly Moment[] = ['started'];

const upload = (reason: RegExp): readonly Explanation[] => [
  { code: EXIT.uploadFailed, reason },
  { code: EXIT.preflightRefused, reason },
];
const dump = (reason: RegExp): Explanation => ({ code: EXIT.dumpFailed, reason });

const UNREACHABLE =
  /InternalError|SlowDown|ServiceUnavailable|ECONNRESET|EPIPE|hang up|TimeoutError|no answer|RequestTimeTooSkewed/;
/** Where the server says nothing to mydumper, its exit code is all there is. */
const LOST_CONNECTION =
  /lost connection|gone away|interrupted|was killed|shutdown|connection|ECONN|can(?:not|'t) (?:connect|check|use)|could not (?:read|execute)|left out|mydumper ended with exit code/i;
const TABLE_CHANGED = /victim|definition has changed|left out/i;
const NO_SPACE = /no space|ENOSPC|could ?n.t write|could not write|errno: 28|\(28\)/i;
const FILE_GONE =
  /vanished|no longer in the staging|is not there|no file |ENOENT|left out|left no metadata|held \d+ bytes|could not (?:open|create|write)/i;
/** mydumper's option file may be among what is gone, and then it has no password. */
const EMPTIED = new RegExp(`${FILE_GONE.source}|using password: NO|defaults file|config`, 'i');

const s3 = (what: string, rest: Partial<Kind> = {}): Kind => ({
  where: 'S3',
  what,
  weight: 3,
  moments: RUNNING,
  riddenOut: true,
  explains: upload(UNREACHABLE),
  ...rest,
});

/** Everything that can go wrong, and what the program may make of it. */
export const KINDS = {
  's3-500': s3('500 InternalError, a few times'),
  's3-503': s3('503 SlowDown, a few times'),
  's3-reset': s3('connections reset in the body, a few times'),
  's3-stall': s3('requests that get no answer for seconds'),
  's3-slow': s3('hardly any bandwidth for a while'),
  's3-outage': s3('503 to everything for a while'),
  's3-clock-skew': s3('403 RequestTimeTooSkewed, a few times', { weight: 1 }),
  's3-lost-answer': s3('writes carried out whose answers are lost'),
  's3-lost-completion': s3('completions carried out whose answers are lost', { moments: DUMPING }),
  's3-lost-manifest': s3('the manifest written, its answer lost', { moments: DUMPING }),
  's3-completion-500': s3('200 with InternalError to completions, a few times', { moments: DUMPING }),
  's3-completion-refused': s3('200 with AccessDenied to completions', {
    riddenOut: false,
    moments: DUMPING,
    explains: upload(/access ?denied/i),
  }),
  's3-wrong-checksum': s3('a wrong checksum in an answer', {
    riddenOut: false,
    explains: upload(/checksum|CRC32/),
  }),
  's3-expired': s3('403 ExpiredToken to everything from then on', {
    riddenOut: false,
    moments: ANY,
    explains: upload(/credentials have expired/),
  }),
  's3-500-for-good': s3('500 to everything from then on', {
    riddenOut: false,
    moments: ANY,
    lasting: true,
    weight: 2,
  }),
  's3-down': s3('connections reset from then on', {
    riddenOut: false,
    moments: ANY,
    lasting: true,
    weight: 2,
  }),

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
    what: 'a table locked by somebody for a while',
    weight: 2,
    moments: ['spawn', 'started'],
    riddenOut: true,
    explains: [],
  },

  'mydumper-kill': {
    where: 'mydumper',
    what: 'SIGKILL by somebody',
    weight: 4,
    moments: DUMPING,
    riddenOut: false,
    explains: [dump(/mydumper was killed by SIGKILL/)],
  },
  'mydumper-term': {
    where: 'mydumper',
    what: 'SIGTERM by somebody',
    weight: 3,
    moments: DUMPING,
    riddenOut: false,
    explains: [dump(/mydumper was killed by SIGTERM/)],
  },
  'mydumper-stop': {
    where: 'mydumper',
    what: 'SIGSTOP by somebody, SIGCONT later',
    weight: 4,
    moments: DUMPING,
    riddenOut: true,
    explains: [],
  },
  'mydumper-cont': {
    where: 'mydumper',
    what: 'SIGCONT by somebody',
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
  'us-kill': { where: 'program', what: 'SIGKILL', weight: 4, moments: ANY, riddenOut: false, explains: [] },
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
    what: "somebody's file put into staging",
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
