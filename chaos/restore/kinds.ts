import { EXIT } from '../../app/contract.ts';
import type { Moment } from './plan.ts';

/** An ending that a fault accounts for: the code, and a reason that names the cause. */
type Explanation = { readonly code: number; readonly reason: RegExp };

export type RestoreKind = {
  readonly where: 'S3' | 'MariaDB' | 'program';
  readonly what: string;
  /** How often it is drawn, compared with the others. */
  readonly weight: number;
  readonly moments: readonly Moment[];
  /** Only exit 0 is right when no other fault has struck. */
  readonly riddenOut: boolean;
  readonly explains: readonly Explanation[];
  /** Requests are sent again for nothing: retries are kept short, so that the run is over soon. */
  readonly lasting?: true;
  /** Objects are not as the manifest says. A reason must name the object. */
  readonly wrongObject?: true;
};

const ANY: readonly Moment[] = ['spawn', 'started', 'rows', 'committed', 'after'];
const READING: readonly Moment[] = ['spawn', 'started', 'rows', 'committed'];
const LOADING: readonly Moment[] = ['started', 'rows', 'committed'];

const either = (reason: RegExp): readonly Explanation[] => [
  { code: EXIT.restoreFailed, reason },
  { code: EXIT.preflightRefused, reason },
];
const S3 = /could not read s3:\/\//;
const SERVER = new RegExp(
  'connection|connect to|MySQL server|ECONNRESET|EPIPE|shutdown|shut down|killed|interrupted|' +
    'lost|no transactions',
  'i',
);

const s3 = (what: string, rest: Partial<RestoreKind> = {}): RestoreKind => ({
  where: 'S3',
  what,
  weight: 3,
  moments: READING,
  riddenOut: true,
  explains: [],
  ...rest,
});
const db = (what: string, rest: Partial<RestoreKind> = {}): RestoreKind => ({
  where: 'MariaDB',
  what,
  weight: 3,
  moments: ANY,
  riddenOut: false,
  explains: either(SERVER),
  ...rest,
});
const us = (what: string, code: number | undefined, rest: Partial<RestoreKind> = {}) => ({
  where: 'program' as const,
  what,
  weight: 4,
  moments: ANY,
  riddenOut: false,
  explains: code === undefined ? [] : [{ code, reason: /interrupted by SIG/ }],
  ...rest,
});

/** Everything that can go wrong, and what a restore may make of it. */
export const RESTORE_KINDS = {
  's3-503': s3('503 SlowDown, a few times'),
  's3-500': s3('500 InternalError, a few times', { weight: 2 }),
  's3-cut': s3('bodies cut in the middle, a few times', { weight: 4 }),
  's3-reset': s3('connections reset, a few times', { weight: 2 }),
  's3-stall': s3('requests that get no answer for a while', { weight: 2 }),
  's3-drip': s3('bodies that hardly move', { weight: 2 }),
  's3-slow': s3('hardly any bandwidth for a while', { weight: 2 }),
  's3-throttle': s3('503 to everything for a while'),
  's3-outage': s3('503 to everything from then on', {
    riddenOut: false,
    lasting: true,
    explains: either(S3),
  }),
  's3-down': s3('connections reset from then on', {
    riddenOut: false,
    lasting: true,
    weight: 2,
    explains: either(S3),
  }),
  's3-expired': s3('403 ExpiredToken to everything from then on', {
    riddenOut: false,
    weight: 2,
    explains: either(/credentials have expired/),
  }),
  's3-gone': s3('an object deleted, until the next attempt', {
    riddenOut: false,
    wrongObject: true,
    explains: either(/no such object/),
  }),
  's3-wrong-object': s3('one bit of an object wrong, until the next attempt', {
    riddenOut: false,
    wrongObject: true,
    weight: 5,
    explains: either(/./),
  }),
  's3-wrong-body': s3('one bit wrong in one body', {
    riddenOut: false,
    wrongObject: true,
    weight: 4,
    explains: either(/./),
  }),

  'db-kill-one': db('KILL of a connection', { weight: 5 }),
  'db-kill-all': db('KILL of all connections, a few times', { weight: 4 }),
  'db-kill-query': db('KILL QUERY of running statements', { moments: LOADING }),
  'db-crash': db('SIGKILL of the server, which comes back', { weight: 4 }),
  'db-restart': db('a clean restart of the server', { weight: 3 }),
  'db-lock-table': db('a table locked by another session', {
    riddenOut: true,
    moments: LOADING,
    explains: [],
  }),
  'db-deadlock': db('a deadlock with another session', {
    riddenOut: true,
    moments: ['committed'],
    weight: 4,
    explains: [],
  }),

  'us-term': us('SIGTERM', EXIT.interruptedBySigterm),
  'us-int': us('SIGINT', EXIT.interruptedBySigint, { weight: 3 }),
  'us-term-twice': us('SIGTERM, and another one', EXIT.interruptedBySigterm, { weight: 2 }),
  'us-kill': us('SIGKILL', undefined, { weight: 7 }),
  'us-stop': us('SIGSTOP, SIGCONT later', undefined, { riddenOut: true, weight: 3 }),
} as const satisfies Record<string, RestoreKind>;

export type RestoreFaultKind = keyof typeof RESTORE_KINDS;

export function restoreKindOf(kind: RestoreFaultKind): RestoreKind {
  return RESTORE_KINDS[kind];
}
