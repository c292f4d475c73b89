import { on } from 'node:events';
import type { Readable } from 'node:stream';

/**
 * The pieces of a byte stream as it gives them. Iterating the stream itself would copy those that
 * wait into one, and leave garbage. The stream is destroyed when the caller stops reading.
 * @throws the stream's error.
 */
export async function* piecesOf(stream: Readable): AsyncGenerator<Buffer> {
  const close = ['end', 'close'];
  const pieces = on(stream, 'data', { close, highWaterMark: 2, lowWaterMark: 1 });
  try {
    for await (const [piece] of pieces) yield piece as Buffer;
  } finally {
    stream.destroy();
  }
}
