import { CloudWatchClient, type CloudWatchClientConfig } from '@aws-sdk/client-cloudwatch';
import type { CloudWatch } from './cloudwatch.ts';

/** A client of a CloudWatch of ours that sends each request once. */
export function clientOf(
  { endpoint }: Pick<CloudWatch, 'endpoint'>,
  config: CloudWatchClientConfig = {},
): CloudWatchClient {
  return new CloudWatchClient({
    region: 'eu-central-1',
    endpoint,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    maxAttempts: 1,
    ...config,
  });
}
