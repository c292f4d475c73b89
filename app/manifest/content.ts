import { createHash } from 'node:crypto';
import type { Readable, Transform } from 'node:stream';
import { crc32, createGunzip, createZstdDecompress } from 'node:zlib';
import type { Compression } from '../config.ts';
import { freeMemory } from '../free-memory.ts';
import { piecesOf } from '../pieces-of.ts';
import { type BackupStore, ObjectMissing } from '../storage/backup-store.ts';
import { encodeCrc32 } from '../storage/checksum-guard.ts';
import type { ManifestFile } from './schema.ts';

/** Size of a decompressed piece. Each piece costs a turn of the event loop and a write. */
const PIECE_BYTES = 512 * 1024;

/** The stored content differs from the manifest. */
export class ContentFault extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ContentFault';
  }
}

/**
 * Reads a file of the dump as mydumper wrote it: decompresses it and compares it with the manifest.
 * The comparison ends with the last byte: until then no content is trusted. Memory is bounded. It never yields more bytes than the manifest states, regardless of
 * the decompressor's output.
 * @throws ContentFault with the reason; Failure when the store cannot be read.
 */
export async function* readContent(
  store: BackupStore,
  file: ManifestFile,
  compression: Compression,
): AsyncGenerator<Buffer> {
  const stored = { bytes: 0, crc: 0 };
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of decompressed(store.open(file.key), compression, stored)) {
    bytes += piece.byteLength;
    if (bytes > file.dumpedBytes)
      throw new ContentFault(`its content is longer than ${file.dumpedBytes} bytes`);
    hash.update(piece);
    yield piece;
  }
  // Checked first, as it explains the other faults. Node's zstd decoder ends with the first frame,
  // even when more data follows.
  if (stored.bytes !== file.storedBytes)
    throw new ContentFault(
      `${stored.bytes} bytes of it could be read, the manifest says ${file.storedBytes}`,
    );
  if (encodeCrc32(stored.crc) !== file.crc32)
    throw new ContentFault("its CRC-32 is not the manifest's");
  if (bytes !== file.dumpedBytes)
    throw new ContentFault(`its content is ${bytes} bytes, the manifest says ${file.dumpedBytes}`);
  if (hash.digest('hex') !== file.sha256)
    throw new ContentFault("the SHA-256 of its content is not the manifest's");
}

async function* decompressed(
  body: Readable,
  compression: Compression,
  stored: { bytes: number; crc: number },
): AsyncGenerator<Buffer> {
  const decoder = decoderOf(compression);
  body.on('data', (piece: Buffer) => {
    stored.bytes += piece.byteLength;
    stored.crc = crc32(piece, stored.crc);
    if (decoder === undefined || decoder.write(piece, () => freeMemory(piece))) return;
    body.pause();
    decoder.once('drain', () => body.resume());
  });
  body.once('end', () => decoder?.end());
  // Reports the first failure: a decoder that is cut off fails too.
  let cause: unknown;
  body.once('error', (error) => {
    cause ??= error;
    decoder?.destroy(error);
  });
  const output = decoder ?? body;
  try {
    yield* piecesOf(output);
    // A frame may have ended before the object did.
    if (decoder !== undefined && !body.readableEnded) for await (const _rest of body) void _rest;
  } catch (error) {
    if (cause instanceof ObjectMissing || error instanceof ObjectMissing)
      throw new ContentFault('there is no such object');
    if (cause !== undefined) throw cause;
    if (decoder !== undefined && isZlibError(error))
      throw new ContentFault(`it cannot be decompressed (${error.code})`);
    throw error;
  } finally {
    body.destroy();
    decoder?.destroy();
  }
}

function decoderOf(compression: Compression): Transform | undefined {
  const options = { chunkSize: PIECE_BYTES, readableHighWaterMark: 2 * PIECE_BYTES };
  if (compression === 'gzip') return createGunzip(options);
  return compression === 'zstd' ? createZstdDecompress(options) : undefined;
}

function isZlibError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && /^(?:Z_|ZSTD_|ERR_)/.test(String(error.code));
}
