import { setTimeout as sleep } from 'node:timers/promises';
import type { RetryErrorInfo, RetryStrategyV2, RetryToken } from '@smithy/types';

const BASE_DELAY_MILLISECONDS = 100;
/** As the SDK's own cap: an outage that ends is noticed within this time. */
const MAXIMUM_DELAY_MILLISECONDS = 20_000;

/** Error names that say "later" whatever HTTP status they came with (S3 sends errors inside 200 answers too). */
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

/** What sending again cannot mend; the SDK gives errors inside of 200 answers the status 503 whatever they say. */
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

/** Milliseconds before retry number `retry` (1 for the first): exponential with full jitter, as AWS recommends. */
export function backoffMilliseconds(retry: number, random: number): number {
  const ceiling = Math.min(
    MAXIMUM_DELAY_MILLISECONDS,
    BASE_DELAY_MILLISECONDS * 2 ** Math.min(retry - 1, 20),
  );
  return Math.round(ceiling * (0.5 + random / 2));
}

export type Limits = {
  /** How long one request is sent again, in seconds since it was first refused; may change during the run. */
  retrySeconds: number;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
};

/**
 * Retries by time, not by count: a request is sent again until `limits.retrySeconds` have passed since it was first refused.
 * The SDK's own strategies share a small token bucket among all requests, which a few concurrent parts drain within
 * seconds of an outage. Waiting ends at once when `limits.signal` aborts.
 */
export function retryForSeconds(limits: Limits, onRetry: (error: unknown) => void): RetryStrategyV2 {
  type Token = RetryToken & { readonly startedAt: number };
  const token = (retries: number, startedAt: number): Token => ({
    startedAt,
    getRetryCount: () => retries,
    getRetryDelay: () => 0,
  });
  return {
    acquireInitialRetryToken: async () => token(0, performance.now()),
    refreshRetryTokenForRetry: async (previous: RetryToken, info: RetryErrorInfo) => {
      const error: unknown = info.error;
      const { startedAt } = previous as Token;
      const retry = previous.getRetryCount() + 1;
      const remaining = limits.retrySeconds * 1000 - (performance.now() - startedAt);
      if (limits.signal.aborted || !isTransient(error) || remaining <= 0) throw error;
      const hinted = info.retryAfterHint === undefined ? 0 : info.retryAfterHint.getTime() - Date.now();
      const delay = Math.max(
        backoffMilliseconds(retry, Math.random()),
        Math.min(hinted, MAXIMUM_DELAY_MILLISECONDS),
      );
      onRetry(error);
      await sleep(Math.min(delay, remaining), undefined, { signal: limits.signal });
      return token(retry, startedAt);
    },
    recordSuccess: () => {},
  };
}
