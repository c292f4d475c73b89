import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateMultipartUploadCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { BUCKET, type World } from '../e2e/world.ts';

/**
 * Foreign objects and files that must stay untouched: an older backup, an upload under way, files
 * beside staging.
 */
const FOREIGN_OBJECTS: Readonly<Record<string, string>> = {
  'test-db/20200101T000000Z/manifest.json': '{"of":"an older backup"}',
  'test-db/20200101T000000Z/shop.orders.sql': 'INSERT INTO `orders` VALUES(1);\n',
  'notes.txt': 'foreign',
};
const FOREIGN_UPLOAD = 'test-db/20200101T000000Z/unfinished.sql';

export function isForeign(key: string): boolean {
  return key in FOREIGN_OBJECTS || key === FOREIGN_UPLOAD;
}

function foreignFiles({ directory, staging }: World): string[] {
  return [join(directory, 'precious.txt'), join(`${staging}-of-others`, 'bulk.bulk_0.sql')];
}

export async function plantOthers(world: World): Promise<void> {
  mkdirSync(`${world.staging}-of-others`);
  for (const path of foreignFiles(world)) writeFileSync(path, `precious: ${path}`);
  const client = new S3Client({
    endpoint: world.s3.endpoint,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'other', secretAccessKey: 'other' },
  });
  try {
    for (const [Key, Body] of Object.entries(FOREIGN_OBJECTS))
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: FOREIGN_UPLOAD }));
  } finally {
    client.destroy();
  }
}

export async function expectOthersUntouched(world: World): Promise<void> {
  for (const path of foreignFiles(world))
    expect(readFileSync(path, 'utf8')).toBe(`precious: ${path}`);
  for (const [key, body] of Object.entries(FOREIGN_OBJECTS))
    expect((await world.s3.readObject(BUCKET, key)).toString('utf8')).toBe(body);
  const uploads = await world.s3.multipartUploads(BUCKET);
  expect(uploads.filter(({ key }) => key === FOREIGN_UPLOAD)).toHaveLength(1);
}
