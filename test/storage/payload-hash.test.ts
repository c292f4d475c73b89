import { createHash } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createClient } from '../../app/storage/s3-client.ts';
import { awsEnvironment } from '../support/program.ts';
import { storeConfig } from '../support/s3/test-store.ts';

/** The headers of a PutObject as it would go out to this endpoint. */
async function headersTo(endpoint: string, known?: string): Promise<Record<string, string>> {
  for (const [name, value] of Object.entries(awsEnvironment({ s3: endpoint })))
    vi.stubEnv(name, value);
  const limits = { retrySeconds: 0, signal: new AbortController().signal };
  const body = Buffer.from('content');
  const hashes = new WeakMap(known === undefined ? [] : [[body, async () => known]]);
  const client = createClient(storeConfig, 1, limits, () => {}, hashes);
  onTestFinished(() => {
    client.destroy();
    vi.unstubAllEnvs();
  });
  let headers: Record<string, string> = {};
  client.middlewareStack.add(
    () => async (args) => {
      headers = (args.request as { headers: Record<string, string> }).headers;
      return {
        output: { $metadata: {}, ChecksumCRC32: headers['x-amz-checksum-crc32'] },
        response: {},
      };
    },
    { step: 'deserialize', name: 'keepHeaders', priority: 'high' },
  );
  await client.send(new PutObjectCommand({ Bucket: 'box', Key: 'k', Body: body }));
  return headers;
}

test('over TLS the signature covers the checksum of the body and not its SHA-256', async () => {
  const headers = await headersTo('https://127.0.0.1:1');
  expect(headers['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
  expect(headers['x-amz-checksum-crc32']).toMatch(/^[A-Za-z0-9+/]{6}==$/);
  expect(headers.authorization).toMatch(
    /SignedHeaders=[^,]*x-amz-checksum-crc32;x-amz-content-sha256/,
  );
});

test('without TLS it covers both', async () => {
  const headers = await headersTo('http://127.0.0.1:1');
  expect(headers['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/);
});

test('without TLS a hash that is known is not made again', async () => {
  const known = createHash('sha256').update('something else').digest('hex');
  expect(await headersTo('http://127.0.0.1:1', known)).toMatchObject({
    'x-amz-content-sha256': known,
  });
  const overTls = await headersTo('https://127.0.0.1:1', known);
  expect(overTls['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
});
