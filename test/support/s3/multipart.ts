import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { type BodyPlan, fileSink, receiveBody } from './body.ts';
import type { OpenUpload, Part } from './records.ts';
import { assemblyFile, type Bucket } from './store.ts';
import { S3Error } from './types.ts';

/** The smallest size of a part other than the last, in bytes. */
export const smallestPart = 5 * 1024 ** 2;

/** The open upload of that id and key. Throws NoSuchUpload. */
export function openUpload(bucket: Bucket, key: string, uploadId: string): OpenUpload {
  const upload = bucket.uploads.get(uploadId);
  if (upload === undefined || upload.key !== key) throw noSuchUpload();
  return upload;
}

/** An ETag that says nothing about the content, unless the request gave the content's MD5. */
export function etagFor(md5: string | undefined): string {
  return md5 ?? randomBytes(16).toString('hex');
}

/**
 * Receives one part; it replaces an earlier one of its number only once all of it arrived and was
 * verified.
 */
export async function receivePart(
  bucket: Bucket,
  upload: OpenUpload,
  number: number,
  plan: BodyPlan,
  source: AsyncIterable<Buffer>,
): Promise<Part> {
  checkPartChecksum(upload, plan);
  const { file, offset } = placePart(upload, number, plan.size);
  const inSlot = file === assemblyFile;
  const path = bucket.pathOf(`uploads/${upload.id}/${file}`);
  let stored = false;
  try {
    const handle = await open(path, inSlot ? openForAssembly : 'wx').catch(
      (error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT' ? noSuchUpload() : error;
      },
    );
    const sink = fileSink(handle, offset);
    try {
      const received = await receiveBody(plan, source, sink.write, upload.algorithm);
      await sink.end();
      if (bucket.uploads.get(upload.id) !== upload) throw noSuchUpload();
      const previous = upload.parts.get(number);
      const part = {
        number,
        size: plan.size,
        etag: etagFor(received.md5),
        checksum: received.checksum,
        lastModified: Date.now(),
        file,
        offset,
      };
      bucket.putPart(upload, part);
      stored = true;
      if (
        previous !== undefined &&
        previous.file !== assemblyFile &&
        upload.completing === undefined
      )
        await rm(bucket.pathOf(`uploads/${upload.id}/${previous.file}`), { force: true });
      return part;
    } finally {
      await sink.abandon();
      await handle.close();
    }
  } finally {
    if (!stored && inSlot) upload.slots.delete(number);
    if (!stored && !inSlot) await rm(path, { force: true });
  }
}

// Several parts write into the one file.
const openForAssembly = constants.O_RDWR | constants.O_CREAT;

/**
 * Parts of the common size go straight to their place in the assembled object, so completing is a
 * rename; any other part, and a second attempt at one, gets a file of its own and is copied in when
 * the upload completes.
 */
function placePart(
  upload: OpenUpload,
  number: number,
  size: number,
): { file: string; offset: number } {
  if (upload.slotSize === undefined && size >= smallestPart) upload.slotSize = size;
  const { slotSize } = upload;
  if (
    slotSize !== undefined &&
    size > 0 &&
    size <= slotSize &&
    upload.completing === undefined &&
    !upload.slots.has(number)
  ) {
    upload.slots.set(number, 'writing');
    return { file: assemblyFile, offset: (number - 1) * slotSize };
  }
  return { file: `part-${number}-${randomBytes(6).toString('hex')}`, offset: 0 };
}

function checkPartChecksum(upload: OpenUpload, plan: BodyPlan): void {
  const given = plan.checksum?.algorithm;
  const expected = upload.declared ? upload.algorithm : undefined;
  if (given === expected || (given === undefined && upload.type === 'FULL_OBJECT')) return;
  throw new S3Error(
    400,
    'InvalidRequest',
    'Checksum Type mismatch occurred, expected checksum Type: ' +
      `${expected?.toLowerCase() ?? 'null'}, ` +
      `actual checksum Type: ${given?.toLowerCase() ?? 'null'}`,
  );
}

/** What S3 says of an upload id it does not know, or no longer. */
export function noSuchUpload(): S3Error {
  return new S3Error(
    404,
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may ' +
      'have been aborted or completed.',
  );
}
