import { ALWAYS, type FaultCase } from './case.ts';
import { BODIES, CLAIMS, MANIFEST, passing, passingInParts, SOON, VARIES } from './s3-strikes.ts';

/** Faults that pass. */
export const s3RiddenOut: readonly FaultCase[] = [
  passing('s3-500', '500 InternalError', { kind: 'error', status: 500, code: 'InternalError' }),
  passing('s3-503', '503 SlowDown', { kind: 'error', status: 503, code: 'SlowDown' }, VARIES),
  passing('s3-reset', 'connections reset before the body', { kind: 'reset' }, VARIES),
  passing('s3-reset-in-body', 'connections reset in the body', {
    kind: 'reset',
    afterBytes: 300_000,
  }),
  passing('s3-lost-answer', 'answers lost', { kind: 'lost-answer' }),
  passing('s3-cut-answer', 'answers cut in the middle', { kind: 'cut-answer' }, VARIES),
  passing('s3-stall', 'no answer for a second', { kind: 'stall', milliseconds: 1000 }),
  passing('s3-clock-skew', '403 RequestTimeTooSkewed', { kind: 'clock-skew' }),
  passingInParts(
    's3-create-503',
    '503 SlowDown to CreateMultipartUpload',
    'CreateMultipartUpload',
    {
      kind: 'error',
      status: 503,
      code: 'SlowDown',
    },
    VARIES,
  ),
  passingInParts('s3-part-reset', 'connections reset in the middle of a part', 'UploadPart', {
    kind: 'reset',
    afterBytes: 1_000_000,
  }),
  passingInParts(
    's3-complete-error-in-200',
    'CompleteMultipartUpload answered with 200 and an error document',
    'CompleteMultipartUpload',
    { kind: 'error-in-ok', code: 'InternalError' },
  ),
  passingInParts(
    's3-complete-lost',
    'CompleteMultipartUpload done, its answer lost',
    'CompleteMultipartUpload',
    { kind: 'lost-answer' },
  ),
  passingInParts(
    's3-complete-cut',
    'CompleteMultipartUpload done, its answer cut in the middle',
    'CompleteMultipartUpload',
    { kind: 'cut-answer' },
    VARIES,
  ),
  {
    id: 's3-manifest-lost',
    fault: 'the answer to the manifest lost',
    outcome: 'one manifest, and a good backup',
    exits: [0],
    run: async ({ strike, start }) => {
      strike({ operation: 'PutObject', key: MANIFEST, action: { kind: 'lost-answer' } });
      return start();
    },
  },
  {
    id: 's3-manifest-lost-add-only',
    fault: 'the answer to the manifest lost, with a role that may not read',
    outcome: 'one manifest, and a good backup',
    exits: [0],
    run: async ({ strike, start, world }) => {
      world.s3.setDeny(['GetObject', 'HeadObject', 'ListObjectsV2', 'DeleteObject']);
      strike({ operation: 'PutObject', key: MANIFEST, action: { kind: 'lost-answer' } });
      return start();
    },
  },
  {
    id: 's3-manifest-wrong-checksum',
    fault: 'a wrong checksum answered to the manifest',
    outcome: 'the run fails and says that the manifest may be there; if it is, the backup is whole',
    exits: [5],
    reason: /could not write .*manifest\.json: .*answered with CRC32.*may have written it/,
    keepsFiles: true,
    manifestMayExist: true,
    run: async ({ strike, start }) => {
      strike({ key: MANIFEST, times: ALWAYS, action: { kind: 'wrong-checksum' } });
      return start();
    },
  },
  {
    id: 's3-stall-long',
    fault: 'no answer for 90 seconds to an upload, nor anything else',
    outcome: 'given up after 60 s without a byte and sent again; the backup is good',
    exits: [0],
    soak: true,
    longestSeconds: 180,
    run: async ({ strike, start }) => {
      strike({
        operation: BODIES,
        skip: CLAIMS + 1,
        times: 2,
        action: { kind: 'stall', milliseconds: 90_000 },
      });
      return start({ UPLOAD_RETRY_SECONDS: '300' });
    },
  },
  {
    id: 's3-slow-loris',
    fault: 'answers that come a byte every half second, without an end',
    outcome:
      'given up a minute after the upload’s own time limit, and sent again; the backup is good',
    exits: [0],
    soak: true,
    longestSeconds: 240,
    run: async ({ strike, start }) => {
      // Small files: the larger an upload, the longer its answer may take.
      strike({ key: /schema/, times: 2, action: { kind: 'drip', millisecondsPerByte: 500 } });
      return start({ UPLOAD_RETRY_SECONDS: '300' });
    },
  },
  {
    id: 's3-mute',
    fault: 'takes requests and never answers, from some time on',
    outcome: 'given up after 60 s and UPLOAD_RETRY_SECONDS; unacknowledged files stay in staging',
    exits: [5],
    reason: /could not write s3:\/\/backups\/.*(?:TimeoutError|ETIMEDOUT|no answer)/,
    keepsFiles: true,
    soak: true,
    longestSeconds: 240,
    run: async ({ strike, start }) => {
      const action = { kind: 'stall', milliseconds: 600_000 } as const;
      strike({ operation: BODIES, skip: CLAIMS + 4, times: ALWAYS, action });
      return start(SOON);
    },
  },
  {
    id: 's3-mute-before',
    fault: 'takes requests and never answers, from the start',
    outcome: 'refused after 60 s and what is left of 20 s of retries',
    exits: [3],
    reason: /bucket backups cannot be written to: .*(?:TimeoutError|ETIMEDOUT|no answer)/,
    soak: true,
    longestSeconds: 240,
    run: async ({ strike, start }) => {
      strike({ times: ALWAYS, action: { kind: 'stall', milliseconds: 600_000 } });
      return start(SOON);
    },
  },
];
