import type { Syntax } from './setting-statement.ts';

/**
 * States of the automaton that reads rows. The first ones are events: the caller acts on them.
 */
export const FOREIGN = 0;
/** A row has ended with `)`. */
export const ROW = 1;
/** The statement has ended with `;`. */
export const END = 2;
/** A row has begun with `(`. */
export const OPEN = 3;
/** The next value follows; only where values are counted. */
export const COMMA = 4;
/** An introducer of a value of text has begun with `_`. */
export const INTRODUCER = 5;
/** A value of text has begun with its quote, its `0x`, or its `x'`. */
export const TEXT_DOUBLE = 6;
export const TEXT_SINGLE = 7;
export const TEXT_ZERO = 8;
export const TEXT_X = 9;
/** All states below are events. */
export const EVENTS = 10;
/** In literals: those with an odd number are in single quotes. */
export const DOUBLE = 10;
export const SINGLE = 11;
export const JSON_DOUBLE = 12;
export const JSON_SINGLE = 13;
/** In the digits of an integer. */
export const DIGITS = 14;
/** The head was read, and no row yet. */
export const FIRST = 15;
/** A value begins. */
export const VALUE = 16;
/** A value of text begins. */
export const TEXT = 17;

/** Names of the states above, in that order. */
export const NAMED = [
  ...['foreign', 'row', 'end', 'open', 'comma', 'introducer'],
  ...['textDouble', 'textSingle', 'textZero', 'textX'],
  ...['double', 'single', 'jsonDouble', 'jsonSingle', 'digits', 'first', 'value', 'text'],
] as const;

export type Steps = readonly (readonly [characters: string, to: string])[];

const SPACE = ' \t\r\n';
const DIGIT = '0123456789';
const HEX = `${DIGIT}abcdefABCDEF`;
const WORD = `${DIGIT}abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ`;
const ANY = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));

/** A keyword in any case, a state for each letter, from the state after its first letter. */
function keyword(word: string, prefix: string, then: string): [string, Steps][] {
  return [...word].slice(1).map((letter, index) => {
    const to = index === word.length - 2 ? then : `${prefix}${index + 2}`;
    return [`${prefix}${index + 1}`, [[letter + letter.toLowerCase(), to]]];
  });
}

/** What may stand in a literal, and how it ends; a later step wins. */
function literal(name: string, quote: string, backslash: boolean, after: Steps): [string, Steps][] {
  const escaped: Steps = backslash ? [['\\', `${name}Escape`]] : [];
  return [
    [name, [[ANY, name], [quote, `${name}Quote`], ...escaped]],
    [`${name}Escape`, [[ANY, name]]],
    [`${name}Quote`, [...after, [quote, name]]],
  ];
}

/**
 * The grammar of rows as mydumper writes them. Nothing in it is nested, so it takes no stack, and
 * any byte may be a chunk's last.
 */
export function grammar({ backslash, ansiQuotes }: Syntax, counts: boolean): Map<string, Steps> {
  const quotes: Steps = ansiQuotes
    ? [["'", 'single']]
    : [
        ["'", 'single'],
        ['"', 'double'],
      ];
  const next: Steps = [
    [',', counts ? 'comma' : 'value'],
    [')', 'row'],
  ];
  const after: Steps = [[SPACE, 'after'], ...next];
  const literals: Steps = [...quotes, ['xX', 'x'], ['bB', 'b']];
  const value: Steps = [
    [SPACE, 'value'],
    ...literals,
    ['0', 'zero'],
    ['123456789', 'digits'],
    ['+-', 'sign'],
    ['.', 'point'],
    ['nN', 'null1'],
    ['cC', 'convert1'],
    ['_', 'charset'],
  ];
  const texts: Steps = [
    ["'", 'textSingle'],
    ['0', 'textZero'],
    ['xX', 'textX'],
    ...(ansiQuotes ? [] : ([['"', 'textDouble']] as const)),
  ];
  const digits: Steps = [...after, [DIGIT, 'digits'], ['.', 'decimals'], ['eE', 'exponent']];
  const using: Steps = [[SPACE, 'beforeUsing']];
  const json = quotes.map(
    ([quote, name]) => [quote, name === 'single' ? 'jsonSingle' : 'jsonDouble'] as const,
  );
  const between: Steps = [
    [SPACE, 'between'],
    [',', 'beforeRow'],
    [';', 'end'],
  ];
  return new Map<string, Steps>([
    [
      'first',
      [
        [SPACE, 'first'],
        ['(', 'open'],
      ],
    ],
    [
      'beforeRow',
      [
        [SPACE, 'beforeRow'],
        ['(', 'open'],
      ],
    ],
    ['row', between],
    ['between', between],
    ['open', value],
    ['comma', value],
    ['value', value],
    ['after', after],
    // Numbers.
    [
      'sign',
      [
        [DIGIT, 'digits'],
        ['.', 'point'],
      ],
    ],
    ['zero', [...digits, ['x', 'hexadecimal']]],
    ['digits', digits],
    ['point', [[DIGIT, 'decimals']]],
    ['decimals', [...after, [DIGIT, 'decimals'], ['eE', 'exponent']]],
    [
      'exponent',
      [
        [DIGIT, 'power'],
        ['+-', 'powerSign'],
      ],
    ],
    ['powerSign', [[DIGIT, 'power']]],
    ['power', [...after, [DIGIT, 'power']]],
    ['hexadecimal', [[HEX, 'hexadecimals']]],
    ['hexadecimals', [...after, [HEX, 'hexadecimals']]],
    // x'…' with whole bytes, b'…'.
    ['x', [["'", 'xEven']]],
    [
      'xEven',
      [
        [HEX, 'xOdd'],
        ["'", 'after'],
      ],
    ],
    ['xOdd', [[HEX, 'xEven']]],
    ['b', [["'", 'bits']]],
    [
      'bits',
      [
        ['01', 'bits'],
        ["'", 'after'],
      ],
    ],
    ...literal('double', '"', backslash, after),
    ...literal('single', "'", backslash, after),
    ...keyword('NULL', 'null', 'after'),
    // A character set's name, then a literal.
    ['charset', [[WORD, 'charsetName']]],
    ['charsetName', [[WORD, 'charsetName'], [SPACE, 'introduced'], ...quotes]],
    ['introduced', [[SPACE, 'introduced'], ...literals, ['0', 'introducedZero']]],
    ['introducedZero', [['x', 'hexadecimal']]],
    // CONVERT("…" USING UTF8MB4), as a MySQL server's JSON is written.
    ...keyword('CONVERT', 'convert', 'converted'),
    [
      'converted',
      [
        [SPACE, 'converted'],
        ['(', 'json'],
      ],
    ],
    ['json', [[SPACE, 'json'], ...json]],
    ...literal('jsonDouble', '"', backslash, using),
    ...literal('jsonSingle', "'", backslash, using),
    [
      'beforeUsing',
      [
        [SPACE, 'beforeUsing'],
        ['uU', 'using1'],
      ],
    ],
    ...keyword('USING', 'using', 'used'),
    ['used', [[SPACE, 'beforeCharset']]],
    [
      'beforeCharset',
      [
        [SPACE, 'beforeCharset'],
        ['uU', 'utf1'],
      ],
    ],
    ...keyword('UTF8MB4', 'utf', 'convertEnd'),
    [
      'convertEnd',
      [
        [SPACE, 'convertEnd'],
        [')', 'after'],
      ],
    ],
    // A value of a column of text: the caller replaces its introducer.
    ['text', [[SPACE, 'text'], ...texts, ['nN', 'null1'], ['_', 'introducer']]],
    ['introducer', [[WORD, 'textCharset']]],
    [
      'textCharset',
      [[WORD, 'textCharset'], [SPACE, 'textIntroduced'], ...texts.filter(([c]) => /['"]/.test(c))],
    ],
    ['textIntroduced', [[SPACE, 'textIntroduced'], ...texts]],
    ['textZero', [['x', 'hexadecimal']]],
    ['textX', [["'", 'xEven']]],
  ]);
}
