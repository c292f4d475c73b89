import { setTimeout as sleep } from 'node:timers/promises';
import type { RetryErrorInfo, RetryStrategyV2, RetryToken } from '@smithy/types';

const BASE_DELAY_MILLISECONDS = 100;
/** As the SDK's own cap: an outage that ends is noticed within this time. */
const MAXIMUM_DELAY_MILLISECONDS = 20_000;

/**
 * Error names that say "later" regardless of their HTTP status (S3 sends errors inside 200 answers
 * too).
 */
const TRANSIENT_NAMES = new Set([
  'InternalError',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'BandwidthLimitExceeded',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'OperationAborted',
  'ConditionalRequestConflict',
  // The bytes changed on their way: sending them again is the cure.
  'BadDigest',
  'IncompleteBody',
  'XAmzContentSHA256Mismatch',
  'TimeoutError',
]);

/** Errors that a retry cannot fix. The SDK gives every error inside a 200 answer the status 503. */
const PERMANENT_NAMES = new Set([
  'AccessDenied',
  'EntityTooLarge',
  'EntityTooSmall',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidPart',
  'InvalidPartOrder',
  'InvalidRequest',
  'InvalidToken',
  'NoSuchBucket',
  'NoSuchUpload',
  'PreconditionFailed',
  'SignatureDoesNotMatch',
]);

const TRANSIENT_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
]);

type Annotated = Error & {
  code?: string;
  Code?: string;
  $metadata?: { httpStatusCode?: number };
  $retryable?: unknown;
};

/** Whether sending the same request again may work. Pure; looks only at the error. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, code, Code, $metadata, $retryable, cause } = error as Annotated;
  if (name === 'AbortError') return false;
  if (PERMANENT_NAMES.has(name) || (Code !== undefined && PERMANENT_NAMES.has(Code))) return false;
  if (TRANSIENT_NAMES.has(name) || (Code !== undefined && TRANSIENT_NAMES.has(Code))) return true;
  if (code !== undefined && TRANSIENT_CODES.has(code)) return true;
  const status = $metadata?.httpStatusCode;
  if (status !== undefined && status >= 300)
    return status === 408 || status === 429 || (status >= 500 && status !== 501);
  if ($retryable !== undefined) return true;
  return cause instanceof Error && isTransient(cause);
}

/** The request had no connection. */
const NOT_SENT_CODES = new Set(['EAI_AGAIN', 'ECONNREFUSED', 'ENOTFOUND']);

/**
 * Whether S3 may have carried out an attempt with this error. The attempt got no answer, or one
 * with a 5xx status. A 5xx status does not prove that nothing was written.
 */
function mayBeCarriedOut(error: unknown): boolean {
  const { code, $metadata } = (error ?? {}) as Partial<Annotated>;
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return code === undefined || !NOT_SENT_CODES.has(code);
  return status >= 500;
}

const afterOpenAttempt = new WeakSet<object>();

/**
 * Whether S3 refused a conditional write because its key exists, after an attempt of the same
 * request that S3 may have carried out. No other writer can have made the object in a folder that
 * the run has claimed. So that attempt wrote it, with the bytes and the checksum that it sent.
 */
export function isRefusedByOwnAttempt(error: unknown): boolean {
  return isPreconditionFailed(error) && afterOpenAttempt.has(error);
}

/** Whether S3 refused a conditional write because its key exists. */
export function isPreconditionFailed(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  // Inside a 200 answer only the name reports it. In an answer without a document only the status
  // reports it.
  const { name, $metadata } = error as Annotated;
  return name === 'PreconditionFailed' || $metadata?.httpStatusCode === 412;
}

/**
 * Milliseconds before retry number `retry` (1 for the first): exponential with full jitter, as AWS
 * recommends.
 */
export function backoffMilliseconds(retry: number, random: number): number {
  const ceiling = Math.min(
    MAXIMUM_DELAY_MILLISECONDS,
    BASE_DELAY_MILLISECONDS * 2 ** Math.min(retry - 1, 20),
  );
  return Math.round(ceiling * (0.5 + random / 2));
}

export type Limits = {
  /**
   * How long one request is retried, in seconds since its first refusal. The value may change
   * during the run.
   */
  retrySeconds: number;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
};

/**
 * Retries by time, not by count: until `limits.retrySeconds` have passed since the first refusal of
 * a request. The SDK's own strategies share a small token bucket among all requests. A few
 * concurrent parts drain it within seconds of an outage. Waiting ends at once when `limits.signal`
 * aborts.
 */
export function retryForSeconds(
  limits: Limits,
  onRetry: (error: unknown) => void,
): RetryStrategyV2 {
  /** `open`: an earlier attempt may have been carried out. */
  type Token = RetryToken & { readonly startedAt: number; readonly open: boolean };
  const token = (retries: number, startedAt: number, open: boolean): Token => ({
    startedAt,
    open,
    getRetryCount: () => retries,
    getRetryDelay: () => 0,
  });
  return {
    acquireInitialRetryToken: async () => token(0, performance.now(), false),
    refreshRetryTokenForRetry: async (previous: RetryToken, info: RetryErrorInfo) => {
      const error: unknown = info.error;
      const { startedAt, open } = previous as Token;
      const retry = previous.getRetryCount() + 1;
      const remaining = limits.retrySeconds * 1000 - (performance.now() - startedAt);
      if (open && error instanceof Error) afterOpenAttempt.add(error);
      if (limits.signal.aborted || !isTransient(error) || remaining <= 0) throw error;
      const hinted =
        info.retryAfterHint === undefined ? 0 : info.retryAfterHint.getTime() - Date.now();
      const delay = Math.max(
        backoffMilliseconds(retry, Math.random()),
        Math.min(hinted, MAXIMUM_DELAY_MILLISECONDS),
      );
      onRetry(error);
      await sleep(Math.min(delay, remaining), undefined, { signal: limits.signal });
      return token(retry, startedAt, open || mayBeCarriedOut(error));
    },
    recordSuccess: () => {},
  };
}
