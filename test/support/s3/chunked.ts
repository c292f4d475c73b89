import { S3Error } from './types.ts';

const smallestInnerChunk = 8192;
const longestLine = 16_384;

/**
 * Decodes an `aws-chunked` body (signed or unsigned chunks, with or without trailers), yielding the
 * data and filling `trailers` by lower-case name. Chunk signatures are not verified. Throws
 * IncompleteBody when the framing is broken or ends early, and InvalidChunkSizeError when a chunk
 * other than the last has under 8192 bytes, as S3 does.
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  let state: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size';
  let held: Buffer = Buffer.alloc(0);
  let left = 0;
  let previous = Number.POSITIVE_INFINITY;

  for await (const chunk of source) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length > 0) {
      if (state === 'done') throw incomplete('There are bytes after the last chunk.');
      if (state === 'data') {
        const data = held.subarray(0, left);
        held = held.subarray(data.length);
        left -= data.length;
        if (left === 0) state = 'data-end';
        yield data;
        continue;
      }
      const end = held.indexOf('\r\n');
      if (end === -1) {
        if (held.length > longestLine) throw incomplete('A chunk header or trailer is too long.');
        break;
      }
      const line = held.toString('latin1', 0, end);
      held = held.subarray(end + 2);
      if (state === 'data-end') {
        if (line !== '') throw incomplete('A chunk does not end where its size says.');
        state = 'size';
      } else if (state === 'size') {
        left = chunkSize(line);
        if (left > 0 && previous < smallestInnerChunk)
          throw new S3Error(
            403,
            'InvalidChunkSizeError',
            'Only the last chunk is allowed to have a size less than 8192 bytes',
          );
        previous = left;
        state = left === 0 ? 'trailer' : 'data';
      } else if (line === '') {
        state = 'done';
      } else {
        const colon = line.indexOf(':');
        if (colon < 1)
          throw new S3Error(
            400,
            'MalformedTrailerError',
            'The request contained trailing data that was not well-formed.',
          );
        trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
      }
    }
  }
  if (state !== 'done') throw incomplete('The request body terminated unexpectedly');
}

function chunkSize(line: string): number {
  const size = line.split(';', 1)[0] ?? '';
  if (!/^[0-9a-f]{1,12}$/i.test(size)) throw incomplete('A chunk header has no size.');
  return Number.parseInt(size, 16);
}

function incomplete(message: string): S3Error {
  return new S3Error(400, 'IncompleteBody', message);
}
