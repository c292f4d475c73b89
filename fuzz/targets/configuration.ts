import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { flagOf } from '../../app/command-line.ts';
import { readInvocation } from '../../app/config.ts';
import { Failure } from '../../app/errors.ts';
import { oneLine } from '../../app/observe/redact.ts';
import { VARIABLES } from '../../app/variables.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

const GOOD: Readonly<Record<string, string>> = {
  BUCKET: 'backups',
  SOURCE: 'db1',
  HOST: 'db.example',
  PASSWORD: 'hunter2-geheim',
};
const names = VARIABLES.map(({ name }) => name);
const plausible = fc.constantFrom(
  'true',
  '1',
  '64',
  'zstd',
  'latest',
  'shop',
  'a,b',
  '--regex x',
  'all',
  'INFO',
  '',
);
const value = fc.oneof(plausible, hostileText());
const environment = fc.dictionary(fc.constantFrom(...names, '__proto__', 'constructor'), value, {
  maxKeys: 6,
});
const word = fc.oneof(
  fc.constantFrom(
    'backup',
    'restore',
    'verify',
    'list',
    '--help',
    '-V',
    '--',
    '-',
    '--=',
    '--password',
    '--__proto__',
    '20261122T030000Z',
  ),
  fc
    .tuple(fc.constantFrom(...VARIABLES.map(flagOf)), value)
    .map(([flag, text]) => `--${flag}=${text}`),
  fc.constantFrom(...VARIABLES).map((variable) => `--${flagOf(variable)}`),
  hostileText(),
);

/**
 * Any environment and argv yield a configuration within its bounds, or lines that name the
 * mistakes.
 */
export const configuration: Target = {
  name: 'configuration',
  quickCases: 300,
  open: () => ({
    property: fc.property(
      environment,
      fc.array(word, { maxLength: 5 }),
      fc.boolean(),
      (env, argv, good) => {
        let invocation: ReturnType<typeof readInvocation>;
        try {
          invocation = readInvocation(argv, good ? { ...env, ...GOOD } : env);
        } catch (error) {
          assert(error instanceof Failure, String(error));
          assert.equal(error.kind, 'configuration');
          assert(error.lines.length > 0);
          for (const line of error.lines) {
            assert.match(oneLine(line), /^[^\p{Cc}\u2028\u2029]+$/u);
            assert(!line.includes('hunter2'));
          }
          return;
        }
        if (invocation.kind !== 'run') return;
        const { config } = invocation;
        const key = [config.prefix, config.source].join('/');
        assert.equal(resolve('/', key), resolve('/', `./${key}`));
        assert(
          !`/${key}/`.includes('/../') && !`/${key}/`.includes('/./') && !/[^\x20-\x7e]/.test(key),
        );
        assert(config.source.length > 0 && !config.source.includes('/'));
        assert(!`${key}/`.replace(/^\//, '').includes('//'));
        assert(!/[\0\n\r]/.test(config.server.password));
        for (const number of [
          config.staging.budgetBytes,
          config.dump.threads,
          config.dump.chunkMiB,
          config.server.port,
        ])
          assert(Number.isSafeInteger(number) && number > 0);
      },
    ),
  }),
};
