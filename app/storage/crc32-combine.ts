/**
 * The CRC-32 of two joined pieces of content, from the CRC-32 of each. Appending zero bytes to the
 * first piece is a multiplication by a power of x modulo the polynomial. It works as
 * `crc32_combine` of zlib (crc32.c), which Node does not offer.
 */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(xToThe8(secondBytes), first >>> 0) ^ second) >>> 0;
}

/** Of IEEE 802.3, bits reflected: the highest bit is the coefficient of x⁰. */
const POLYNOMIAL = 0xedb8_8320;
const ONE = 0x8000_0000;
const X = 0x4000_0000;

function multiply(left: number, right: number): number {
  let product = 0;
  let shifted = right;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((left & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) !== 0 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product >>> 0;
}

/** x^(8 × bytes); bytes may exceed 32 bits. */
function xToThe8(bytes: number): number {
  let power = ONE;
  let square = X;
  for (let bit = 0; bit < 3; bit += 1) square = multiply(square, square);
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return power;
}
