import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { readExtraArguments, splitShellWords } from '../../app/mydumper/extra-arguments.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

/** Neither expanded nor an operator, whatever stands beside them. After a backslash at the end a shell asks for another line. */
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

/** Words are split as a shell splits them, and our own flags are refused wherever they stand. */
export const extraArguments: Target = {
  name: 'extra-arguments',
  quickCases: 100,
  open: () => ({
    property: fc.property(
      shellText,
      hostileText(),
      fc.array(harmless, { maxLength: 3 }),
      spelled,
      (text, any, before, owned) => {
        const words = splitShellWords(text);
        assert.deepEqual(words, byShell(text));
        const quoted = `'${any.replaceAll("'", "'\\''")}'`;
        assert.deepEqual(splitShellWords(`x ${quoted}`), ['x', any]);
        assert.notEqual(readExtraArguments([...before, owned]).mistakes.length, 0, `${before} ${owned}`);
        readExtraArguments(splitShellWords(any) ?? []);
      },
    ),
  }),
};

function byShell(text: string): string[] | undefined {
  // A backslash at the end means the next line, of which there is none.
  try {
    const out = execFileSync('sh', ['-c', `set -f; for word in ${text}\ndo printf '%s\\0' "$word"; done`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return out.split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}
