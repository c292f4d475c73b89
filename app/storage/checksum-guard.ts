import { crc32 } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';

/** Base64 of a CRC-32 as S3 writes it: four bytes, big endian. */
export function encodeCrc32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}

/** The store answered a write with a checksum that is not that of what was sent, or with none. */
export class ChecksumMismatch extends Error {
  constructor(operation: string, sent: string, answered: string | undefined) {
    super(
      answered === undefined
        ? `${operation} was answered without a CRC32 checksum; ` +
            'the endpoint cannot prove what it stored'
        : `${operation} was answered with CRC32 ${answered}, sent was ${sent}`,
    );
    this.name = 'ChecksumMismatch';
  }
}

/**
 * Makes the client send the CRC-32 of every body in memory: the given one, or one it computes. The
 * client compares it with the checksum in the answer. A status code alone therefore never
 * acknowledges a part.
 */
export function guardChecksums(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const input = args.input as { Body?: unknown; ChecksumCRC32?: string };
      if (!(input.Body instanceof Uint8Array)) return next(args);
      const sent = input.ChecksumCRC32 ?? encodeCrc32(crc32(input.Body));
      const result = await next({
        ...args,
        input: { ...args.input, ChecksumCRC32: sent } as typeof args.input,
      });
      const answered = (result.output as { ChecksumCRC32?: string }).ChecksumCRC32;
      if (answered !== sent)
        throw new ChecksumMismatch(context.commandName ?? 'write', sent, answered);
      return result;
    },
    { step: 'initialize', name: 'guardChecksums', priority: 'low' },
  );
}
