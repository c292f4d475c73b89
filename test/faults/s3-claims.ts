import type { FaultAction } from '../support/s3/server.ts';
import { ALWAYS, type FaultCase } from './case.ts';
import { refused } from './s3-strikes.ts';

const CLAIM = { operation: 'PutObject', key: /claim\.json$/ } as const;
const TAKES_NEXT = /is taken, by another run or by a write of this one .* takes the next second$/;

/** Strikes the first write of the claim. */
function taken(id: string, fault: string, action: FaultAction): FaultCase {
  return {
    id,
    fault,
    outcome: 'the run takes the next second; the backup is good',
    exits: [0],
    run: async ({ strike, start }) => {
      strike({ ...CLAIM, action });
      return start();
    },
    check: async (_setting, log) => {
      if (!log.some(({ message }) => TAKES_NEXT.test(String(message))))
        throw new Error('the run does not report that the folder is taken');
    },
  };
}

function withoutConditions(
  id: string,
  fault: string,
  action: FaultAction,
  reason: RegExp,
): FaultCase {
  return refused(id, fault, reason, async ({ strike, start }) => {
    strike({ operation: ['PutObject', 'CompleteMultipartUpload'], times: ALWAYS, action });
    return start();
  });
}

/** Faults of the claim, which keeps two runs out of one folder. */
export const s3Claims: readonly FaultCase[] = [
  taken('s3-claim-lost', 'the answer to the claim lost', { kind: 'lost-answer' }),
  taken('s3-claim-taken', 'the folder is claimed by another run', {
    kind: 'error',
    status: 412,
    code: 'PreconditionFailed',
  }),
  withoutConditions(
    's3-no-conditions',
    '501 NotImplemented to conditional writes',
    { kind: 'error', status: 501, code: 'NotImplemented' },
    /the store of bucket backups lacks conditional writes .*use Amazon S3 or a store that does/,
  ),
  withoutConditions(
    's3-ignored-conditions',
    'a store that ignores the condition of writes',
    { kind: 'ignore-condition' },
    /the store of bucket backups ignores conditional writes .*use Amazon S3 or a store that does/,
  ),
  withoutConditions(
    's3-all-taken',
    '412 PreconditionFailed to every write',
    { kind: 'error', status: 412, code: 'PreconditionFailed' },
    /5 folders in a row, .*hold a claim\.json already.*use Amazon S3 or a store that does/,
  ),
];
