import type { StoreConfig } from '../config.ts';

type S3Error = Error & {
  Code?: string;
  code?: string;
  $metadata?: { httpStatusCode?: number; attempts?: number };
};

/** Told with status 403, which is no matter of the role's rights. */
const EXPIRED: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
]);

/** What an S3 error means to the operator and where to look, in one line. */
export function explain(error: unknown, config: Pick<StoreConfig, 'bucket' | 'region'>): string {
  if (!(error instanceof Error)) return String(error);
  const { name, code, $metadata } = error as S3Error;
  const status = $metadata?.httpStatusCode;
  const attempts = $metadata?.attempts ?? 1;
  const tried = attempts > 1 ? ` (tried ${attempts} times)` : '';
  const hint = hintFor(name, code, status, config);
  const what = [name === 'Error' ? code : name, error.message || code].filter(Boolean).join(': ');
  return `${hint === undefined ? what : `${hint} (${what})`}${tried}`.replace(/\s+/g, ' ');
}

/** Whether the store reports that it does not implement the request. */
export function isNotImplemented(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, $metadata } = error as S3Error;
  return name === 'NotImplemented' || $metadata?.httpStatusCode === 501;
}

function hintFor(
  name: string,
  code: string | undefined,
  status: number | undefined,
  config: Pick<StoreConfig, 'bucket' | 'region'>,
): string | undefined {
  if (name === 'NoSuchBucket')
    return `there is no bucket ${config.bucket}; check BUCKET and REGION=${config.region}`;
  if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed' || status === 301) {
    return `the bucket is not in REGION=${config.region}`;
  }
  if (name === 'RequestTimeTooSkewed') return "this machine's clock differs from S3's; set it";
  if (EXPIRED.has(name)) return 'the AWS credentials have expired or are not valid (any more)';
  if (name === 'AccessDenied' || status === 403) {
    return (
      'access denied; the role needs s3:PutObject and s3:AbortMultipartUpload on the prefix ' +
      '(and the KMS key)'
    );
  }
  if (name === 'CredentialsProviderError') return 'no AWS credentials found; give the task a role';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'the endpoint has no address; check REGION and the VPC endpoint or DNS';
  if (code === 'ECONNREFUSED') return 'nothing answers at the endpoint';
  return undefined;
}
