import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import type { FaultAction, Operation } from '../support/s3/server.ts';
import { ALWAYS, type FaultCase } from './case.ts';

const BODIES: readonly Operation[] = ['PutObject', 'UploadPart'];
/** All that a role which can only add may do. */
const ADDING: readonly Operation[] = [
  'PutObject',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
];
/** Files that are large enough to go up in parts. */
const IN_PARTS = { CHUNK_FILE_SIZE_MB: '64', PART_SIZE_MB: '5' };
const SOON = { UPLOAD_RETRY_SECONDS: '1' };
const MANIFEST = /manifest\.json$/;
/** A case that differs little from a quick one. */
const VARIES = { soak: true } as const;
const RIDDEN_OUT = 'sent again; the backup is good';
const FAILED = 'the run fails; what S3 has not acknowledged stays in staging';
const REFUSED = 'refused before anything starts';

/** Strikes six bodies, and is gone. */
function passing(id: string, fault: string, action: FaultAction, more: Partial<FaultCase> = {}): FaultCase {
  return {
    id,
    fault: `${fault} to some uploads`,
    outcome: RIDDEN_OUT,
    exits: [0],
    run: async ({ strike, start }) => {
      strike({ operation: BODIES, skip: 1, times: 6, action });
      return start();
    },
    ...more,
  };
}

/** Strikes two requests by which large files go up. */
function passingInParts(
  id: string,
  fault: string,
  operation: Operation,
  action: FaultAction,
  more: Partial<FaultCase> = {},
): FaultCase {
  return {
    id,
    fault,
    outcome: RIDDEN_OUT,
    exits: [0],
    run: async ({ strike, start }) => {
      // The first one created is the preflight's.
      strike({ operation, skip: operation === 'CreateMultipartUpload' ? 1 : 0, times: 2, action });
      return start(IN_PARTS);
    },
    ...more,
  };
}

/** Strikes all bodies from some time on. */
function lasting(
  id: string,
  fault: string,
  action: FaultAction,
  reason: RegExp,
  more: Partial<FaultCase> = {},
): FaultCase {
  return {
    id,
    fault,
    outcome: FAILED,
    exits: [5],
    reason,
    keepsFiles: true,
    run: async ({ strike, start }) => {
      strike({ operation: BODIES, skip: 4, times: ALWAYS, action });
      return start(SOON);
    },
    ...more,
  };
}

function refused(
  id: string,
  fault: string,
  reason: RegExp,
  run: FaultCase['run'],
  more: Partial<FaultCase> = {},
): FaultCase {
  return { id, fault, outcome: REFUSED, exits: [3], reason, run, ...more };
}

export const s3Faults: readonly FaultCase[] = [
  passing('s3-500', '500 InternalError', { kind: 'error', status: 500, code: 'InternalError' }),
  passing('s3-503', '503 SlowDown', { kind: 'error', status: 503, code: 'SlowDown' }, VARIES),
  passing('s3-reset', 'connections reset before the body', { kind: 'reset' }, VARIES),
  passing('s3-reset-in-body', 'connections reset in the body', { kind: 'reset', afterBytes: 300_000 }),
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
    outcome: 'the run fails and says that the manifest may be there; it stands for a whole backup then',
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
      strike({ operation: BODIES, skip: 1, times: 2, action: { kind: 'stall', milliseconds: 90_000 } });
      return start({ UPLOAD_RETRY_SECONDS: '300' });
    },
  },
  {
    id: 's3-slow-loris',
    fault: 'answers that come a byte every half second, without an end',
    outcome:
      'given up a minute after the time that the upload itself may take, and sent again; the backup is good',
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
    outcome: 'given up after 60 s and UPLOAD_RETRY_SECONDS; what S3 has not acknowledged stays in staging',
    exits: [5],
    reason: /could not write s3:\/\/backups\/.*(?:TimeoutError|ETIMEDOUT|no answer)/,
    keepsFiles: true,
    soak: true,
    longestSeconds: 240,
    run: async ({ strike, start }) => {
      strike({ operation: BODIES, skip: 4, times: ALWAYS, action: { kind: 'stall', milliseconds: 600_000 } });
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
  lasting(
    's3-expired',
    '403 ExpiredToken in the middle, as when credentials expire',
    { kind: 'error', status: 403, code: 'ExpiredToken', message: 'The provided token has expired.' },
    /could not write s3:\/\/backups\/.*credentials have expired.*ExpiredToken/,
  ),
  lasting(
    's3-503-lasting',
    '503 SlowDown for longer than UPLOAD_RETRY_SECONDS',
    { kind: 'error', status: 503, code: 'SlowDown' },
    /could not write s3:\/\/backups\/.*SlowDown.*tried \d+ times/,
    VARIES,
  ),
  lasting(
    's3-reset-lasting',
    'connections reset for longer than UPLOAD_RETRY_SECONDS',
    { kind: 'reset' },
    /could not write s3:\/\/backups\/.*(?:ECONNRESET|EPIPE|socket hang up)/,
  ),
  lasting(
    's3-wrong-checksum',
    'a wrong checksum answered to a file',
    { kind: 'wrong-checksum' },
    /could not write .*answered with CRC32/,
  ),
  lasting(
    's3-no-checksum',
    'no checksum answered to a file',
    { kind: 'no-checksum' },
    /could not write .*without a CRC32 checksum/,
    VARIES,
  ),
  lasting(
    's3-part-wrong-checksum',
    'a wrong checksum answered to a part',
    { kind: 'wrong-checksum' },
    /could not write .*answered with CRC32/,
    {
      ...VARIES,
      run: async ({ strike, start }) => {
        strike({ operation: 'UploadPart', skip: 1, times: ALWAYS, action: { kind: 'wrong-checksum' } });
        return start(IN_PARTS);
      },
    },
  ),
  lasting(
    's3-complete-wrong-checksum',
    'a wrong checksum answered to CompleteMultipartUpload',
    { kind: 'wrong-checksum' },
    /could not write .*checksum/,
    {
      run: async ({ strike, start }) => {
        strike({ operation: 'CompleteMultipartUpload', times: ALWAYS, action: { kind: 'wrong-checksum' } });
        return start(IN_PARTS);
      },
    },
  ),
  lasting(
    's3-complete-denied',
    'CompleteMultipartUpload answered with 200 and AccessDenied',
    { kind: 'error-in-ok', code: 'AccessDenied', message: 'Access Denied' },
    /could not write s3:\/\/backups\/.*access denied/,
    {
      run: async ({ strike, start }) => {
        const action = { kind: 'error-in-ok', code: 'AccessDenied', message: 'Access Denied' } as const;
        strike({ operation: 'CompleteMultipartUpload', times: ALWAYS, action });
        return start(IN_PARTS);
      },
    },
  ),
  lasting('s3-gone', 'nothing listening any more', { kind: 'reset' }, /nothing answers at the endpoint/, {
    run: async ({ start, world }) => {
      const proxy = await startCuttableProxy(world.s3.port);
      world.s3.setBandwidth(4e6);
      const program = start({ ...SOON, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${proxy.port}` });
      await program.printed('"event":"shipped"');
      await proxy.close();
      return program;
    },
  }),
  refused(
    's3-denied',
    '403 AccessDenied from the start',
    /bucket backups cannot be written to: access denied.*s3:PutObject/,
    async ({ start, world }) => {
      world.s3.setDeny(ADDING);
      return start();
    },
  ),
  refused(
    's3-no-bucket',
    'no such bucket',
    /no bucket no-such-bucket; check BUCKET and REGION/,
    async ({ start }) => start({ BUCKET: 'no-such-bucket' }),
  ),
  refused(
    's3-nothing-listening',
    'nothing listening at the endpoint',
    /bucket backups cannot be written to: nothing answers at the endpoint/,
    async ({ start }) => start({ ...SOON, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' }),
  ),
  refused(
    's3-dns',
    'an endpoint whose name has no address',
    /bucket backups cannot be written to: the endpoint has no address/,
    async ({ start }) => start({ ...SOON, AWS_ENDPOINT_URL_S3: 'http://no-such-host.invalid:9000' }),
  ),
  refused(
    's3-clock-wrong',
    '403 RequestTimeTooSkewed whatever is sent',
    /bucket backups cannot be written to: this machine's clock differs.*RequestTimeTooSkewed/,
    async ({ start, strike }) => {
      strike({ times: ALWAYS, action: { kind: 'clock-skew' } });
      return start(SOON);
    },
  ),
];
