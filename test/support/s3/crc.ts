/**
 * CRC-32C and CRC-64/NVME, which node:zlib lacks, and joining of CRCs; all reflected, all-ones in
 * and out.
 */

type Polynomial = { readonly width: bigint; readonly reflected: bigint };

const polynomials = {
  CRC32: { width: 32n, reflected: 0xedb88320n },
  CRC32C: { width: 32n, reflected: 0x82f63b78n },
  CRC64NVME: { width: 64n, reflected: 0x9a6c9329ac4bc9b5n },
} as const satisfies Record<string, Polynomial>;

export type CrcName = keyof typeof polynomials;

/** Eight tables of 256 entries for eight bytes at a time, as 32-bit halves. */
function slicingTables({ reflected }: Polynomial): { low: Int32Array; high: Int32Array } {
  const low = new Int32Array(8 * 256);
  const high = new Int32Array(8 * 256);
  const entries: bigint[] = [];
  for (let byte = 0n; byte < 256n; byte += 1n) {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1)
      value = value & 1n ? (value >> 1n) ^ reflected : value >> 1n;
    entries.push(value);
  }
  let row = entries;
  for (let table = 0; table < 8; table += 1) {
    row.forEach((value, index) => {
      low[table * 256 + index] = Number(BigInt.asIntN(32, value));
      high[table * 256 + index] = Number(BigInt.asIntN(32, value >> 32n));
    });
    row = row.map((value) => (entries[Number(value & 0xffn)] ?? 0n) ^ (value >> 8n));
  }
  return { low, high };
}

const tables32c = slicingTables(polynomials.CRC32C);
const tables64 = slicingTables(polynomials.CRC64NVME);

/** A running CRC: feed it chunks, then read the digest in big-endian order, as S3 encodes it. */
export type RunningCrc = { update(chunk: Buffer): void; digest(): Buffer };

export function createCrc32c(): RunningCrc {
  const t = tables32c.low;
  let crc = -1;
  return {
    update(chunk) {
      let value = crc;
      let at = 0;
      for (const end = chunk.length - 7; at < end; at += 8) {
        const a = value ^ wordAt(chunk, at);
        const b = wordAt(chunk, at + 4);
        value =
          look(t, 1792 + (a & 255)) ^
          look(t, 1536 + ((a >>> 8) & 255)) ^
          look(t, 1280 + ((a >>> 16) & 255)) ^
          look(t, 1024 + (a >>> 24)) ^
          look(t, 768 + (b & 255)) ^
          look(t, 512 + ((b >>> 8) & 255)) ^
          look(t, 256 + ((b >>> 16) & 255)) ^
          look(t, b >>> 24);
      }
      for (; at < chunk.length; at += 1)
        value = look(t, (value ^ (chunk[at] as number)) & 255) ^ (value >>> 8);
      crc = value;
    },
    digest() {
      const out = Buffer.alloc(4);
      out.writeInt32BE(~crc);
      return out;
    },
  };
}

export function createCrc64nvme(): RunningCrc {
  const { low: l, high: h } = tables64;
  let low = -1;
  let high = -1;
  return {
    update(chunk) {
      let lo = low;
      let hi = high;
      let at = 0;
      for (const end = chunk.length - 7; at < end; at += 8) {
        const a = lo ^ wordAt(chunk, at);
        const b = hi ^ wordAt(chunk, at + 4);
        const i0 = 1792 + (a & 255);
        const i1 = 1536 + ((a >>> 8) & 255);
        const i2 = 1280 + ((a >>> 16) & 255);
        const i3 = 1024 + (a >>> 24);
        const i4 = 768 + (b & 255);
        const i5 = 512 + ((b >>> 8) & 255);
        const i6 = 256 + ((b >>> 16) & 255);
        const i7 = b >>> 24;
        lo =
          look(l, i0) ^
          look(l, i1) ^
          look(l, i2) ^
          look(l, i3) ^
          look(l, i4) ^
          look(l, i5) ^
          look(l, i6) ^
          look(l, i7);
        hi =
          look(h, i0) ^
          look(h, i1) ^
          look(h, i2) ^
          look(h, i3) ^
          look(h, i4) ^
          look(h, i5) ^
          look(h, i6) ^
          look(h, i7);
      }
      for (; at < chunk.length; at += 1) {
        const index = (lo ^ (chunk[at] as number)) & 255;
        lo = look(l, index) ^ ((lo >>> 8) | (hi << 24));
        hi = look(h, index) ^ (hi >>> 8);
      }
      low = lo;
      high = hi;
    },
    digest() {
      const out = Buffer.alloc(8);
      out.writeInt32BE(~high, 0);
      out.writeInt32BE(~low, 4);
      return out;
    },
  };
}

/**
 * A function joining CRCs: given the CRC of what came so far and of the next `length` bytes, the
 * CRC of both.
 */
export function crcJoiner(name: CrcName): (soFar: Buffer, next: Buffer, length: number) => Buffer {
  const { width, reflected } = polynomials[name];
  const bytes = Number(width) / 8;
  // Parts mostly have one size, so the factor x^(8·length) is worth keeping.
  const factors = new Map<number, bigint>();

  function multiply(a: bigint, b: bigint): bigint {
    let product = 0n;
    let shifted = b;
    for (let bit = 1n << (width - 1n); bit > 0n; bit >>= 1n) {
      if (a & bit) product ^= shifted;
      shifted = shifted & 1n ? (shifted >> 1n) ^ reflected : shifted >> 1n;
    }
    return product;
  }

  function factorFor(length: number): bigint {
    const known = factors.get(length);
    if (known !== undefined) return known;
    let result = 1n << (width - 1n);
    let power = 1n << (width - 2n);
    for (let left = BigInt(length) * 8n; left > 0n; left >>= 1n) {
      if (left & 1n) result = multiply(result, power);
      power = multiply(power, power);
    }
    factors.set(length, result);
    return result;
  }

  return (soFar, next, length) => {
    const joined = multiply(factorFor(length), toBigInt(soFar)) ^ toBigInt(next);
    return Buffer.from(joined.toString(16).padStart(bytes * 2, '0'), 'hex');
  };
}

function toBigInt(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

function look(table: Int32Array, index: number): number {
  return table[index] as number;
}

function wordAt(chunk: Buffer, at: number): number {
  return (
    (chunk[at] as number) |
    ((chunk[at + 1] as number) << 8) |
    ((chunk[at + 2] as number) << 16) |
    ((chunk[at + 3] as number) << 24)
  );
}
