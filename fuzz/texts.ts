import fc from 'fast-check';

/**
 * Texts that confuse readers: quotes, ends, and signs with a meaning in a shell, SQL, JSON or a
 * path.
 */
const PIECES = [
  "'",
  '"',
  '`',
  '\\',
  ';',
  '\n',
  '\r',
  '\t',
  '\0',
  '\x1b[2J',
  '\u2028',
  '\ufeff',
  '\ud800',
  '%',
  '_',
  '*',
  '?',
  '/',
  '..',
  '../',
  '.',
  '--',
  '-',
  '#',
  '/*',
  '*/',
  '/*!',
  '=',
  '&',
  '$',
  '$(x)',
  '|',
  '<',
  ' ',
  '  ',
  'ä',
  'é',
  'e\u0301',
  '\u{1f42c}',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '@',
  '__proto__',
  'constructor',
  'NaN',
  '1e309',
  '-1',
  '0',
  '9'.repeat(20),
  'a',
  'Z',
  '://',
  '\x7f',
  '\u0085',
  '+',
  '%00',
  '%2e%2e',
  '~',
  '!',
];

/** Texts that are mostly made of them. */
export const hostileText = (maxLength = 12): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .array(fc.constantFrom(...PIECES), { maxLength })
        .map((pieces) => pieces.join('')),
    },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength }) },
    { weight: 1, arbitrary: fc.string({ maxLength }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'x'.repeat(300),
        '/'.repeat(3000),
        '"'.repeat(300),
        `${'[ '.repeat(500)}`,
      ),
    },
  );
