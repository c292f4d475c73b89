import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { type Manifest, manifestSchema } from '../../app/manifest/schema.ts';
import type { S3Server } from './s3/server.ts';

/**
 * The only manifest in the bucket, checked against its schema.
 * @throws Error unless there is exactly one.
 */
export async function readOnlyManifest(s3: S3Server, bucket: string): Promise<Manifest> {
  const keys = (await s3.objects(bucket))
    .map(({ key }) => key)
    .filter((key) => key.endsWith('/manifest.json'));
  const [key] = keys;
  if (key === undefined || keys.length !== 1)
    throw new Error(`expected one manifest, found ${keys.length}`);
  return manifestSchema.parse(JSON.parse((await s3.readObject(bucket, key)).toString('utf8')));
}

/** Opens a stored object by its key. */
export type OpenObject = (key: string) => Promise<NodeJS.ReadableStream>;

/** Objects of a test server, read from its own files. */
export function objectsOf(s3: S3Server, bucket: string): OpenObject {
  return async (key) => createReadStream(s3.objectPath(bucket, key));
}

/**
 * Downloads and decompresses a backup, as `aws s3 sync` and a decompressor do. Plain myloader
 * accepts the directory. Every file is compared with its size and SHA-256 in the manifest.
 * @throws Error naming the file that differs.
 */
export async function unpackBackup(
  open: OpenObject,
  manifest: Manifest,
  target: string,
): Promise<void> {
  mkdirSync(target, { recursive: true });
  for (const file of manifest.files) {
    const hash = createHash('sha256');
    let bytes = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        bytes += chunk.byteLength;
        done(null, chunk);
      },
    });
    const stored = await open(file.key);
    const written = createWriteStream(join(target, file.name));
    if (manifest.compression === 'none') await pipeline(stored, counted, written);
    else {
      const decompressor =
        manifest.compression === 'zstd' ? createZstdDecompress() : createGunzip();
      await pipeline(stored, decompressor, counted, written);
    }
    if (bytes !== file.dumpedBytes)
      throw new Error(`${file.name}: ${bytes} bytes, the manifest says ${file.dumpedBytes}`);
    if (hash.digest('hex') !== file.sha256)
      throw new Error(`${file.name}: its SHA-256 is not the manifest's`);
  }
}
