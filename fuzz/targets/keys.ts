import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { openS3 } from '../../app/storage/s3.ts';
import { openS3Reader } from '../../app/storage/s3-reader.ts';
import { awsEnvironment } from '../../test/support/program.ts';
import { startS3Server } from '../../test/support/s3/server.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

const FOLDER = 'daily/db1/20261122T030000Z/';
const config = {
  bucket: 'box',
  region: 'eu-central-1',
  forcePathStyle: true,
  storageClass: undefined,
  kmsKeyId: undefined,
  objectTags: undefined,
  partBytes: 5 * 1024 * 1024,
  retrySeconds: 5,
};
/** What a file of a dump may be called, and S3 takes. */
const name = hostileText(8)
  .map((text) => `shop.${text}.sql`)
  .filter((text) => text.isWellFormed() && !/[\0/]/.test(text) && Buffer.byteLength(text) <= 255);

/** A file of any name has an object under its own key within the folder, and is read from there. */
export const keys: Target = {
  name: 'keys',
  quickCases: 40,
  open: async () => {
    const dir = mkdtempSync(join(tmpdir(), 'mf-fuzz-'));
    const server = await startS3Server({ dir, buckets: [config.bucket] });
    const before = { ...process.env };
    Object.assign(process.env, awsEnvironment({ s3: server.endpoint }));
    const store = openS3(config, 2, () => {});
    const reader = openS3Reader(config, 2, 'restore', () => {});
    let turn = 0;
    return {
      close: async () => {
        store.close();
        reader.close();
        process.env = before;
        await server.close();
        rmSync(dir, { recursive: true, force: true });
      },
      property: fc.asyncProperty(name, async (file) => {
        turn += 1;
        const folder = `${FOLDER}${turn}/`;
        const key = `${folder}${file}`;
        const content = Buffer.from(`rows of ${turn}`);
        assert.equal((await store.create(key, content, 'text/plain')).key, key);
        const listed: string[] = [];
        for await (const object of reader.objects(folder)) listed.push(object.key);
        assert.deepEqual(listed, [key]);
        assert.deepEqual(await reader.read(key, 100), content);
      }),
    };
  },
};
