import { read } from 'node:fs';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { Compression } from '../config.ts';
import { createReusedBuffers, type ReusedBuffers } from '../reused-buffers.ts';
import type { Lease } from '../staging/tracker.ts';
import { createCompressor } from './compressor.ts';
import { type FileHash, hashHere } from './hasher.ts';
import type { Tail } from './tail.ts';

const READ_BYTES = 1024 * 1024;
/**
 * The size of a read that expects no more bytes. A whole buffer for each of very many small files
 * would be their largest cost.
 */
const LEAST_READ_BYTES = 4096;
/** From this size on reads go into buffers that are used again. */
const REUSED_BYTES = 128 * 1024;
/**
 * The compressor is flushed each time it has taken this many bytes. After a flush it is known which
 * bytes of the file are in which part.
 */
const BETWEEN_MARKS_BYTES = 4 * 1024 * 1024;

export const EXTENSIONS: Readonly<Record<Compression, string>> = {
  none: '',
  gzip: '.gz',
  zstd: '.zst',
};
export const CONTENT_TYPES: Readonly<Record<Compression, string>> = {
  none: 'application/sql',
  gzip: 'application/gzip',
  zstd: 'application/zstd',
};

export type Content = {
  /**
   * The content for S3. Ends when the file is closed and read. Fails when the file's content
   * differs from its content at the close.
   */
  readonly body: Readable;
  /** Bytes before compression, prologue and file; only once the body has ended. */
  readonly summary: () => { readonly bytes: number; readonly fileBytes: number };
  /** Hex, of these bytes; only once the body has ended. */
  readonly sha256: () => Promise<string>;
  /** The largest statement among these bytes; only once the body has ended. */
  readonly largestStatementBytes: () => Promise<number>;
  /** Of the file's first bytes, how many are held by the first `storedBytes` of the body. */
  readonly fileBytesIn: (storedBytes: number) => number;
};

/** After so many bytes of the body, so many of the file are surely in it. */
type Mark = { readonly storedBytes: number; readonly fileBytes: number };

const readAt = promisify(read);

/**
 * Reads a file from its descriptor, also while it grows. Puts the prologue before it, hashes it,
 * and compresses it into one frame or member. Buffers that the reader of the body gives back are
 * used again. When the tail is pressed, the bytes read so far are padded to the end of a part of
 * `partBytes`.
 */
export function openContent(
  lease: Lease,
  tail: Tail,
  compression: Compression,
  prologue: Buffer,
  partBytes: number,
  buffers: ReusedBuffers = createReusedBuffers(),
  hash: FileHash = hashHere(),
): Content {
  const source = { fileBytes: 0 };
  const marks: Mark[] = [];
  const plain = readToEnd(lease, tail, hash, prologue, source, buffers);
  const pieces =
    compression === 'none'
      ? onlyData(plain)
      : compressed(plain, compression, partBytes, source, marks, buffers);
  return {
    // Each piece goes out as it is. Joining it with the next one would copy it, and its buffer
    // would not come back.
    body: Readable.from(pieces, { objectMode: true, highWaterMark: 1 }),
    summary: () => ({ bytes: prologue.byteLength + source.fileBytes, fileBytes: source.fileBytes }),
    sha256: async () => (await hash.digest()).sha256,
    largestStatementBytes: async () => (await hash.digest()).largestStatementBytes,
    fileBytesIn: (storedBytes) => {
      if (compression === 'none')
        return Math.max(0, Math.min(source.fileBytes, storedBytes - prologue.byteLength));
      return marks.findLast((mark) => mark.storedBytes <= storedBytes)?.fileBytes ?? 0;
    },
  };
}

/** Data, or word that what came so far should be brought to the end of a part. */
type Piece = { readonly data: Buffer } | { readonly press: true };

async function* readToEnd(
  lease: Lease,
  tail: Tail,
  hash: FileHash,
  prologue: Buffer,
  source: { fileBytes: number },
  buffers: ReusedBuffers,
): AsyncGenerator<Piece> {
  if (prologue.byteLength > 0) {
    await hash.add(prologue, () => {});
    yield { data: prologue };
  }
  for (;;) {
    const seen = tail.now();
    const { sizeBytes, closed } = seen;
    while (source.fileBytes < sizeBytes || closed) {
      const data = await readChunk(
        buffers,
        lease.descriptor,
        source.fileBytes,
        sizeBytes - source.fileBytes,
      );
      if (data.byteLength === 0) break;
      buffers.hold(data);
      await hash.add(data, () => buffers.giveBack(data));
      source.fileBytes += data.byteLength;
      yield { data };
    }
    if (closed) {
      requireSize(lease.name, sizeBytes, source.fileBytes);
      return;
    }
    if (tail.takePress()) yield { press: true };
    else await tail.changed(seen);
  }
}

/** `expectedBytes` should be left in the file. */
async function readChunk(
  buffers: ReusedBuffers,
  descriptor: number,
  position: number,
  expectedBytes: number,
): Promise<Buffer> {
  const length = Math.min(READ_BYTES, Math.max(LEAST_READ_BYTES, expectedBytes));
  const target = length < REUSED_BYTES ? Buffer.allocUnsafeSlow(length) : buffers.take(READ_BYTES);
  const { bytesRead } = await readAt(descriptor, target, 0, length, position);
  return target.subarray(0, bytesRead);
}

function requireSize(name: string, closedBytes: number, readBytes: number): void {
  if (closedBytes === readBytes) return;
  throw new Error(
    `${name} held ${closedBytes} bytes when mydumper closed it and ${readBytes} when it was read`,
  );
}

/** Without compression a part cannot be filled up: a press is of no use. */
async function* onlyData(pieces: AsyncIterable<Piece>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) if ('data' in piece) yield piece.data;
}

async function* compressed(
  pieces: AsyncIterable<Piece>,
  compression: Exclude<Compression, 'none'>,
  partBytes: number,
  source: { readonly fileBytes: number },
  marks: Mark[],
  buffers: ReusedBuffers,
): AsyncGenerator<Buffer> {
  const compressor = createCompressor(compression);
  let storedBytes = 0;
  let sinceMarkBytes = 0;
  const counted = (output: readonly Buffer[]) => {
    for (const { byteLength } of output) storedBytes += byteLength;
    return output;
  };
  /** A part goes when it is full and one byte more has come. */
  const pads = (): Buffer[] => {
    const gone = Math.floor(Math.max(0, storedBytes - 1) / partBytes) * partBytes;
    const isWaiting = (marks.at(-1)?.storedBytes ?? 0) > gone;
    return isWaiting ? [compressor.padding(gone + partBytes + 1 - storedBytes)] : [];
  };
  try {
    for await (const piece of pieces) {
      if ('data' in piece) {
        const output = await compressor.add(piece.data);
        sinceMarkBytes += piece.data.byteLength;
        buffers.giveBack(piece.data);
        yield* counted(output);
      }
      const press = 'press' in piece;
      if (sinceMarkBytes >= BETWEEN_MARKS_BYTES || (press && sinceMarkBytes > 0)) {
        yield* counted(await compressor.flush());
        marks.push({ storedBytes, fileBytes: source.fileBytes });
        sinceMarkBytes = 0;
      }
      if (press) yield* counted(pads());
    }
    yield* counted(await compressor.end());
  } finally {
    compressor.destroy();
  }
}
