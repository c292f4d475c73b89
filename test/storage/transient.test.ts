import { expect, test } from 'vitest';
import { isTransient } from '../../app/storage/retry.ts';
import { sdkError } from './sdk-error.ts';

test.each([
  ...[
    'InternalError',
    'SlowDown',
    'ServiceUnavailable',
    'RequestTimeout',
    'ThrottlingException',
    'RequestTimeTooSkewed',
    'ConditionalRequestConflict',
    'OperationAborted',
    'BadDigest',
    'IncompleteBody',
    'XAmzContentSHA256Mismatch',
    'TimeoutError',
  ].map((name) => ({ name })),
  ...[
    'ECONNRESET',
    'ECONNREFUSED',
    'EPIPE',
    'ETIMEDOUT',
    'EAI_AGAIN',
    'ENOTFOUND',
    'EHOSTUNREACH',
  ].map((code) => ({ code })),
  ...[500, 502, 503, 504, 429, 408].map((status) => ({ name: 'Unknown', status })),
  { name: 'InternalError', status: 200 },
  { name: 'SlowDown', status: 400 },
  { name: 'Error', Code: 'SlowDown', status: 200 },
  { name: 'RequestTimeTooSkewed', status: 403 },
  { name: 'ConditionalRequestConflict', status: 409 },
  { name: 'Error', cause: sdkError({ code: 'ECONNRESET' }) },
])('$name $code $Code $status says later', (fields) => {
  expect(isTransient(sdkError(fields))).toBe(true);
});

test.each([
  { name: 'AccessDenied', status: 403 },
  // The SDK gives errors inside of 200 answers the status 503.
  { name: 'AccessDenied', status: 503 },
  { name: 'InvalidPart', status: 503 },
  { name: 'NoSuchUpload', status: 503 },
  { name: 'Error', Code: 'EntityTooSmall', status: 503 },
  { name: 'NoSuchBucket', status: 404 },
  { name: 'NoSuchUpload', status: 404 },
  { name: 'PreconditionFailed', status: 412 },
  { name: 'PermanentRedirect', status: 301 },
  { name: 'AuthorizationHeaderMalformed', status: 400 },
  { name: 'InvalidRequest', status: 400 },
  { name: 'NotImplemented', status: 501 },
  { name: 'EntityTooLarge', status: 400 },
  { name: 'KMS.DisabledException', status: 400 },
  { name: 'CredentialsProviderError' },
  { name: 'ChecksumMismatch' },
  { name: 'AbortError', code: 'ECONNRESET' },
  { name: 'AbortError', status: 500 },
  { name: 'TypeError' },
  { code: 'ENOENT' },
])('$name $code $status is final', (fields) => {
  expect(isTransient(sdkError(fields))).toBe(false);
});

test('what is no error is final', () => {
  for (const thrown of [undefined, null, 'SlowDown', { name: 'SlowDown' }])
    expect(isTransient(thrown)).toBe(false);
});
