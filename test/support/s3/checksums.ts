import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type CrcName, crcJoiner, createCrc32c, createCrc64nvme } from './crc.ts';
import { type Headers, S3Error } from './types.ts';

/** Checksum algorithms with the length of their digests in bytes. */
const digestLengths = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
  SHA512: 64,
  MD5: 16,
} as const;

export type Algorithm = keyof typeof digestLengths;
export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

/**
 * A checksum as S3 shows it: `value` is base64, followed by `-N` when it is composed of N parts'
 * checksums.
 */
export type Checksum = {
  readonly algorithm: Algorithm;
  readonly value: string;
  readonly type: ChecksumType;
};

export const algorithms = Object.keys(digestLengths) as Algorithm[];

/** A running checksum; `digest` may be read once. */
export type Hasher = { update(chunk: Buffer): void; digest(): Buffer };

export function createHasher(algorithm: Algorithm): Hasher {
  switch (algorithm) {
    case 'CRC32': {
      let value = 0;
      return {
        update: (chunk) => {
          value = crc32(chunk, value);
        },
        digest: () => {
          const out = Buffer.alloc(4);
          out.writeUInt32BE(value);
          return out;
        },
      };
    }
    case 'CRC32C':
      return createCrc32c();
    case 'CRC64NVME':
      return createCrc64nvme();
    default: {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() };
    }
  }
}

export function headerName(algorithm: Algorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The algorithm of a header or trailer called `x-amz-checksum-…`; undefined for any other name. */
export function algorithmOfHeader(name: string): Algorithm | undefined {
  return algorithms.find((algorithm) => headerName(algorithm) === name);
}

/**
 * The algorithm of that name in any case. Throws InvalidRequest, or NotImplemented for the XXHASH
 * ones.
 */
export function algorithmNamed(name: string): Algorithm {
  const found = algorithms.find((algorithm) => algorithm === name.toUpperCase());
  if (found !== undefined) return found;
  if (/^xxhash/i.test(name))
    throw new S3Error(501, 'NotImplemented', `Checksum algorithm ${name} is not implemented.`);
  throw new S3Error(
    400,
    'InvalidRequest',
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types.',
  );
}

/**
 * The one checksum header a request may carry. Throws InvalidRequest when there are several or it
 * is malformed.
 */
export function checksumHeader(
  headers: Headers,
): { algorithm: Algorithm; value: string } | undefined {
  const names = Object.keys(headers).filter(
    (name) =>
      name.startsWith('x-amz-checksum-') &&
      !['algorithm', 'type', 'mode'].includes(name.slice('x-amz-checksum-'.length)),
  );
  const [name] = names;
  if (name === undefined) return undefined;
  if (names.length > 1)
    throw new S3Error(
      400,
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  const algorithm = algorithmNamed(name.slice('x-amz-checksum-'.length));
  return { algorithm, value: headers[name] ?? '' };
}

/** Throws InvalidRequest unless `value` is base64 of the algorithm's length. */
export function checkShape(algorithm: Algorithm, value: string): void {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== digestLengths[algorithm] || bytes.toString('base64') !== value)
    throw new S3Error(
      400,
      'InvalidRequest',
      `Value for ${headerName(algorithm)} header is invalid.`,
    );
}

/**
 * Which kind of object checksum a multipart upload gets. Throws InvalidRequest for pairs S3 does
 * not know.
 */
export function checksumTypeFor(algorithm: Algorithm, asked: string | undefined): ChecksumType {
  if (asked === undefined) return algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  if (asked !== 'COMPOSITE' && asked !== 'FULL_OBJECT')
    throw new S3Error(400, 'InvalidRequest', 'Value for x-amz-checksum-type header is invalid.');
  const fits = asked === 'FULL_OBJECT' ? isCrc(algorithm) : algorithm !== 'CRC64NVME';
  if (!fits)
    throw new S3Error(
      400,
      'InvalidRequest',
      `The ${asked} checksum type cannot be used with the ${algorithm.toLowerCase()} ` +
        'checksum algorithm.',
    );
  return asked;
}

/** The checksum of an object made of these parts, in order, from their base64 checksums alone. */
export function checksumOfParts(
  algorithm: Algorithm,
  type: ChecksumType,
  parts: readonly { readonly value: string; readonly size: number }[],
): Checksum {
  const digests = parts.map((part) => Buffer.from(part.value, 'base64'));
  if (type === 'COMPOSITE') {
    const hasher = createHasher(algorithm);
    hasher.update(Buffer.concat(digests));
    return { algorithm, type, value: `${hasher.digest().toString('base64')}-${parts.length}` };
  }
  if (!isCrc(algorithm)) throw new Error(`${algorithm} checksums of parts cannot be joined`);
  const join = crcJoiner(algorithm);
  let joined = createHasher(algorithm).digest();
  parts.forEach((part, index) => {
    joined = join(joined, digests[index] as Buffer, part.size);
  });
  return { algorithm, type, value: joined.toString('base64') };
}

function isCrc(algorithm: Algorithm): algorithm is CrcName {
  return algorithm.startsWith('CRC');
}
