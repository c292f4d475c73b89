import { ANY, DUMPING, type Kind, RUNNING, upload } from './kind.ts';

const UNREACHABLE =
  /InternalError|SlowDown|ServiceUnavailable|ECONNRESET|EPIPE|hang up|TimeoutError|no answer|RequestTimeTooSkewed/;
/** Where the server says nothing to mydumper, its exit code is all there is. */

const s3 = (what: string, rest: Partial<Kind> = {}): Kind => ({
  where: 'S3',
  what,
  weight: 3,
  moments: RUNNING,
  riddenOut: true,
  explains: upload(UNREACHABLE),
  ...rest,
});

export const S3_KINDS = {
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
  's3-completion-500': s3('200 with InternalError to completions, a few times', {
    moments: DUMPING,
  }),
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
} as const satisfies Record<string, Kind>;
