/**
 * A seeded source of pseudo-random values: the same seed gives the same values on every machine.
 */
export interface Random {
  /** An integer from 0 up to, not including, `limit`. */
  int(limit: number): number;
  /** One of the given values. */
  pick<T>(values: readonly T[]): T;
  /** Bytes of every value, with runs of zeros and blanks at the end of some. */
  bytes(length: number): Buffer;
  /** Text with quotes, backslashes, line ends and characters of one to four bytes. */
  text(length: number): string;
}

const PIECES = [
  'plain words and more of them ',
  "it's ",
  '"quoted" ',
  'back\\slash \\n \\0 \\Z ',
  'semicolon;\n',
  ';\r\n',
  '\t\b\u001a\u0000',
  '%s %d %% _',
  '-- no comment\n',
  '/*!40101 SET NAMES latin1*/;\n',
  'äöüß€ ',
  '日本語 ',
  '😀🧨👩‍👩‍👧 ',
  '`tick` ',
  "'),('",
  'NULL ',
];

/** mulberry32: small, fast, and good enough for test data. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const int = (limit: number): number => next() % limit;
  const pick = <T>(values: readonly T[]): T => {
    const value = values[int(values.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  };
  return {
    int,
    pick,
    bytes(length) {
      const bytes = Buffer.alloc(length);
      for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(next(), at);
      for (let at = length - (length % 4); at < length; at++) bytes[at] = next() & 0xff;
      const ending = int(4);
      if (ending === 1) bytes.fill(0x00, Math.max(0, length - 2));
      if (ending === 2) bytes.fill(0x20, Math.max(0, length - 2));
      return bytes;
    },
    text(length) {
      let text = '';
      while (text.length < length) text += pick(PIECES);
      // Never half of a surrogate pair.
      return [...text].slice(0, length).join('');
    },
  };
}
