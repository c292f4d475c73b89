import type { FaultAction, Operation } from '../support/s3/server.ts';
import { ALWAYS, type FaultCase } from './case.ts';

export const BODIES: readonly Operation[] = ['PutObject', 'UploadPart'];
/** The requests with a body before the first file: a run writes its claim twice. */
export const CLAIMS = 2;
/** All that a role which can only add may do. */
export const ADDING: readonly Operation[] = [
  'PutObject',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
];
/**
 * Files that are large enough for several parts. 1.x writes a table into one file for each thread.
 */
export const IN_PARTS = { CHUNK_FILE_SIZE_MB: '64', PART_SIZE_MB: '5', THREADS: '1' };
export const SOON = { UPLOAD_RETRY_SECONDS: '1' };
export const MANIFEST = /manifest\.json$/;
/** A case that differs little from a quick one. */
export const VARIES = { soak: true } as const;
export const RIDDEN_OUT = 'sent again; the backup is good';
export const FAILED = 'the run fails; what S3 has not acknowledged stays in staging';
export const REFUSED = 'refused before anything starts';

/** Strikes six bodies, and is gone. */
export function passing(
  id: string,
  fault: string,
  action: FaultAction,
  more: Partial<FaultCase> = {},
): FaultCase {
  return {
    id,
    fault: `${fault} to some uploads`,
    outcome: RIDDEN_OUT,
    exits: [0],
    run: async ({ strike, start }) => {
      strike({ operation: BODIES, skip: CLAIMS + 1, times: 6, action });
      return start();
    },
    ...more,
  };
}

/** Strikes two requests by which large files go up. */
export function passingInParts(
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
export function lasting(
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
      strike({ operation: BODIES, skip: CLAIMS + 4, times: ALWAYS, action });
      return start(SOON);
    },
    ...more,
  };
}

export function refused(
  id: string,
  fault: string,
  reason: RegExp,
  run: FaultCase['run'],
  more: Partial<FaultCase> = {},
): FaultCase {
  return { id, fault, outcome: REFUSED, exits: [3], reason, run, ...more };
}
