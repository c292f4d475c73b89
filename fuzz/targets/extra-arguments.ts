import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import {
  narrowingFlags,
  readExtraArguments,
  splitShellWords,
} from '../../app/mydumper/extra-arguments.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

/**
 * Words that a shell neither expands nor takes for operators in any position. After a backslash at
 * the end a shell waits for another line.
 */
const shellText = fc
  .string({
    unit: fc.constantFrom('a', 'b', "'", '"', '\\', ' ', '\t', '-', '=', 'ä', '/'),
    maxLength: 16,
  })
  .filter((text) => !text.endsWith('\\'));
const OWNED_LONG = [
  'outputdir',
  'threads',
  'password',
  'defaults-file',
  'defaults-extra-file',
  'host',
  'logfile',
  'no-locks',
  'stream',
  'exec',
  'clear',
  'daemon',
  'help',
];
const OWNED_SHORT = [
  'o',
  'F',
  't',
  's',
  'B',
  'h',
  'P',
  'S',
  'u',
  'p',
  'a',
  'c',
  'v',
  'L',
  'D',
  'I',
  'X',
  'k',
  'K',
  'V',
];
const spelled = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(...OWNED_LONG),
      fc.constantFrom('', '=x', '='),
      fc.constantFrom('', 'c-', 'connection-', 'main-'),
    )
    .map(([name, end, group]) => `--${group}${name}${end}`),
  fc
    .tuple(
      fc.constantFrom(...OWNED_SHORT),
      fc.constantFrom('', 'm', 'C', 'x'),
      fc.constantFrom('', 'x', '=x'),
    )
    .map(([letter, before, after]) => `-${before}${letter}${after}`),
  fc.constantFrom('--', '--help-all'),
);
const harmless = fc.constantFrom(
  '-m',
  '-C',
  '--skip-ddl-locks',
  '--compress-protocol',
  '--rows=1000',
  '--source-data',
  '--throttle',
  '-U',
);

const narrowing = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('', 'f-', 'filter-', 'objects-'),
      fc.constantFrom('no-data', 'where', 'regex', 'no-views'),
      fc.constantFrom('=x', '=', '=false', '=--'),
    )
    .map(([group, name, end]) => [`--${group}${name}${end}`]),
  fc
    .tuple(
      fc.constantFrom('', 'N', 'C', 'NC'),
      fc.constantFrom('d', 'm', 'W'),
      fc.constantFrom('', 'N'),
    )
    .map(([before, letter, after]) => [`-${before}${letter}${after}`]),
  fc
    .tuple(
      fc.constantFrom('-x', '-Cx', '-xC', '-T', '--where', '-U'),
      fc.constantFrom('x', '', '^a', '5'),
    )
    .map(([flag, value]) => [flag, value]),
);

/**
 * The program splits words as a shell does. Flags that narrow the dump leave their mark, and our
 * own flags are refused in any position.
 */
export const extraArguments: Target = {
  name: 'extra-arguments',
  quickCases: 100,
  open: () => ({
    property: fc.property(
      shellText,
      hostileText(),
      fc.array(harmless, { maxLength: 3 }),
      spelled,
      narrowing,
      (text, any, before, owned, narrows) => {
        const words = splitShellWords(text);
        assert.deepEqual(words, byShell(text));
        const quoted = `'${any.replaceAll("'", "'\\''")}'`;
        assert.deepEqual(splitShellWords(`x ${quoted}`), ['x', any]);
        assert.notEqual(
          readExtraArguments([...before, owned]).mistakes.length,
          0,
          `${before} ${owned}`,
        );
        const read = readExtraArguments([...before.filter((word) => word !== '-U'), ...narrows]);
        assert.deepEqual(read.mistakes, [], `${narrows}`);
        assert.notEqual(narrowingFlags(read.words).length, 0, `${narrows}`);
        // In their only spelling, words are read as they are.
        for (const { words: once } of [read, readExtraArguments(splitShellWords(any) ?? [])])
          assert.deepEqual(readExtraArguments(once).words, once);
      },
    ),
  }),
};

function byShell(text: string): string[] | undefined {
  // A backslash at the end means the next line, of which there is none.
  try {
    const out = execFileSync(
      'sh',
      ['-c', `set -f; for word in ${text}\ndo printf '%s\\0' "$word"; done`],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    return out.split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}
