import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateMultipartUploadCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Server } from '../test/support/s3/server.ts';
import { BUCKET, FOREIGN_FILE, SOURCE } from './scene.ts';

/** An older backup of the same source, foreign objects, and a file beside staging. */
const OBJECTS: Readonly<Record<string, string>> = {
  [`${SOURCE}/19991231T235959Z/manifest.json`]: '{"an":"older backup"}',
  [`${SOURCE}/19991231T235959Z/shop.victim.sql`]: 'INSERT INTO `victim` VALUES (1);\n',
  'somebody/else.txt': 'mine',
};
const UPLOAD = `${SOURCE}/19991231T235959Z/half.sql`;
/** Keys that a run may write. */
const OURS = new RegExp(`^${SOURCE}/2\\d{7}T\\d{6}Z/[^/]+$`);

/** Things that a run has no business with, and what became of them. */
export type Others = {
  /** Keys of objects and uploads of the run itself. */
  readonly isNew: (key: string) => boolean;
  readonly damage: () => Promise<string[]>;
};

export async function placeOthers(s3: S3Server, directory: string): Promise<Others> {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'somebody', secretAccessKey: 'else' },
  });
  for (const [Key, Body] of Object.entries(OBJECTS))
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: UPLOAD }));
  client.destroy();
  const beside = join(directory, 'beside');
  mkdirSync(beside);
  writeFileSync(join(beside, FOREIGN_FILE), 'mine');
  const isNew = (key: string) => !(key in OBJECTS) && key !== UPLOAD;
  return {
    isNew,
    damage: async () => {
      const damage: string[] = [];
      for (const [key, body] of Object.entries(OBJECTS)) {
        const found = await s3.readObject(BUCKET, key).catch(() => undefined);
        if (found?.toString() !== body) damage.push(`object ${key}`);
      }
      for (const { key } of await s3.objects(BUCKET)) {
        if (isNew(key) && !OURS.test(key)) damage.push(`a new object ${key}`);
      }
      if (!(await s3.multipartUploads(BUCKET)).some(({ key }) => key === UPLOAD))
        damage.push(`upload ${UPLOAD}`);
      if (
        readdirSync(beside).join() !== FOREIGN_FILE ||
        readFileSync(join(beside, FOREIGN_FILE), 'utf8') !== 'mine'
      )
        damage.push(beside);
      return damage;
    },
  };
}
