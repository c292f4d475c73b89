import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { OpenUpload, Part } from './records.ts';
import { assemblyFile, type Bucket } from './store.ts';

/**
 * Brings the parts together in one file, in order, and returns its path; bytes after the last part
 * are left over.
 */
export async function writeAssembly(
  bucket: Bucket,
  upload: OpenUpload,
  parts: readonly Part[],
): Promise<string> {
  let end = 0;
  const placed = parts.map((part) => {
    const at = end;
    end += part.size;
    return { part, at };
  });
  const pathOf = (file: string) => bucket.pathOf(`uploads/${upload.id}/${file}`);
  const inPlace = placed.every(({ part, at }) => part.file !== assemblyFile || part.offset === at);
  // A write may still run for a part whose request ended. It must never reach the finished object.
  const quiet = ![...upload.slots.values()].includes('writing');
  const target = inPlace && quiet ? assemblyFile : `whole-${Date.now()}`;
  const copied = placed.filter(({ part }) => part.file !== target && part.size > 0);

  const path = pathOf(target);
  const out = await open(path, constants.O_RDWR | constants.O_CREAT);
  try {
    const buffer = Buffer.allocUnsafe(1024 ** 2);
    for (const { part, at } of copied) {
      const source = await open(pathOf(part.file), 'r');
      try {
        await copyRange(source, part.offset, part.size, out, at, buffer);
      } finally {
        await source.close();
      }
    }
  } catch (error) {
    if (target !== assemblyFile) await rm(path, { force: true });
    throw error;
  } finally {
    await out.close();
  }
  return path;
}

async function copyRange(
  from: FileHandle,
  start: number,
  size: number,
  to: FileHandle,
  at: number,
  buffer: Buffer,
) {
  for (let done = 0; done < size; ) {
    const { bytesRead } = await from.read(
      buffer,
      0,
      Math.min(buffer.length, size - done),
      start + done,
    );
    if (bytesRead === 0) throw new Error('a part is shorter than its record');
    const { bytesWritten } = await to.write(buffer, 0, bytesRead, at + done);
    if (bytesWritten !== bytesRead) throw new Error(`wrote ${bytesWritten} of ${bytesRead} bytes`);
    done += bytesRead;
  }
}
