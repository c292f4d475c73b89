import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { BUCKET, startWorld, type World } from '../e2e/world.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { dropAll, makeBackup } from './setting.ts';

export let world: World;
export let copy: MariaDb;
/** Key of the backup's folder, ending in a slash. */
export let folder: string;
/** The objects of the backup, by key. */
export let kept: Map<string, Buffer>;
let client: S3Client;

/** Servers and one backup for a file of tests. Each test starts with the backup's own objects. */
export function useKeptBackup(): void {
  beforeAll(async () => {
    world = await startWorld();
    copy = await startMariaDb();
    await createBulkDatabase(world.db, { name: 'shop', megabytes: 4, tables: 2 });
    client = new S3Client({
      endpoint: world.s3.endpoint,
      region: 'eu-central-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret' },
    });
    folder = await makeBackup(world, { COMPRESS: 'zstd' });
    kept = new Map();
    for (const { key } of await world.s3.objects(BUCKET))
      kept.set(key, await world.s3.readObject(BUCKET, key));
  });
  afterAll(async () => {
    client?.destroy();
    await copy?.stop();
    await world?.stop();
  });
  beforeEach(() => world.s3.faults.clear());
  /** The bucket as the backup left it. */
  afterEach(async () => {
    await dropAll(copy);
    for (const { key } of await world.s3.objects(BUCKET)) if (!kept.has(key)) await remove(key);
    for (const [key, body] of kept) await put(key, body);
  });
}

export const put = (Key: string, Body: Buffer | string) =>
  client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ChecksumAlgorithm: 'CRC32' }));
export const remove = (Key: string) =>
  client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
