import { expect, test } from 'vitest';
import { explain } from '../../app/storage/refusals.ts';

const config = { bucket: 'my-backups', region: 'eu-central-1' };

type Fields = {
  name?: string;
  code?: string;
  message?: string;
  status?: number;
  attempts?: number;
};

function errorWith({ name, code, message = '', status, attempts }: Fields): Error {
  const error = new Error(message);
  return Object.assign(error, {
    ...(name !== undefined && { name }),
    ...(code !== undefined && { code }),
    ...((status ?? attempts) !== undefined && { $metadata: { httpStatusCode: status, attempts } }),
  });
}

const CASES: readonly (readonly [Fields, string])[] = [
  [
    { name: 'NoSuchBucket', message: 'The specified bucket does not exist', status: 404 },
    'there is no bucket my-backups; check BUCKET and REGION=eu-central-1 ' +
      '(NoSuchBucket: The specified bucket does not exist)',
  ],
  [
    { name: 'PermanentRedirect', message: 'Use another endpoint', status: 301 },
    'the bucket is not in REGION=eu-central-1 (PermanentRedirect: Use another endpoint)',
  ],
  [
    { name: 'AuthorizationHeaderMalformed', message: "expecting 'us-west-2'", status: 400 },
    'the bucket is not in REGION=eu-central-1 ' +
      "(AuthorizationHeaderMalformed: expecting 'us-west-2')",
  ],
  [{ name: '301', status: 301 }, 'the bucket is not in REGION=eu-central-1 (301)'],
  [
    { name: 'AccessDenied', message: 'Access Denied', status: 403 },
    'access denied; the role needs s3:PutObject and s3:AbortMultipartUpload on the prefix ' +
      '(and the KMS key) (AccessDenied: Access Denied)',
  ],
  [
    { name: 'InvalidAccessKeyId', message: 'no such key', status: 403 },
    'the AWS credentials have expired or are not valid (any more) ' +
      '(InvalidAccessKeyId: no such key)',
  ],
  [
    { name: 'RequestTimeTooSkewed', message: 'too far apart', status: 403 },
    "this machine's clock differs from S3's; set it (RequestTimeTooSkewed: too far apart)",
  ],
  [
    { name: 'CredentialsProviderError', message: 'Could not load credentials' },
    'no AWS credentials found; give the task a role ' +
      '(CredentialsProviderError: Could not load credentials)',
  ],
  [
    { code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND s3.nowhere.amazonaws.com' },
    'the endpoint has no address; check REGION and the VPC endpoint or DNS ' +
      '(ENOTFOUND: getaddrinfo ENOTFOUND s3.nowhere.amazonaws.com)',
  ],
  [
    { code: 'EAI_AGAIN', message: 'getaddrinfo EAI_AGAIN s3' },
    'the endpoint has no address; check REGION and the VPC endpoint or DNS ' +
      '(EAI_AGAIN: getaddrinfo EAI_AGAIN s3)',
  ],
  // Node's AggregateError of several addresses has no message.
  [
    { name: 'AggregateError', code: 'ECONNREFUSED' },
    'nothing answers at the endpoint (AggregateError: ECONNREFUSED)',
  ],
  [
    { name: 'SlowDown', message: 'Please reduce your request rate.', status: 503, attempts: 7 },
    'SlowDown: Please reduce your request rate. (tried 7 times)',
  ],
  [
    { name: 'InternalError', message: 'We failed', status: 500, attempts: 1 },
    'InternalError: We failed',
  ],
  [{ code: 'ECONNRESET', message: 'socket hang up' }, 'ECONNRESET: socket hang up'],
  [{ message: 'the disk is on fire' }, 'the disk is on fire'],
  [{ message: 'two\nlines\r\n  and   blanks' }, 'two lines and blanks'],
];

test.each(CASES)('%j is reported in one line', (fields, line) => {
  expect(explain(errorWith(fields), config)).toBe(line);
});

test('a thrown value that is no error is reported unchanged', () => {
  expect(explain('gone', config)).toBe('gone');
  expect(explain(undefined, config)).toBe('undefined');
});
