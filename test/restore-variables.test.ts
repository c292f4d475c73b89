import { expect, test } from 'vitest';
import { type Config, readInvocation } from '../app/config.ts';

function configOf(argv: readonly string[], environment: Record<string, string> = {}): Config {
  const needed = { BUCKET: 'backups', SOURCE: 'db.internal', ...environment };
  const invocation = readInvocation(['restore', ...argv], needed);
  if (invocation.kind !== 'run') throw new Error('not a run');
  return invocation.config;
}

const MIB = 1024 * 1024;

test.each([
  ['1', 1],
  ['16', 16],
  ['99', 99],
  ['100', 100],
  ['128', 128],
])('RESTORE_TRANSACTION_MB=%s commits rows after %i MiB', (value, mebibytes) => {
  const { restore } = configOf([], { RESTORE_TRANSACTION_MB: value }).reading;
  expect(restore.transactionBytes).toBe(mebibytes * MIB);
  const flagged = configOf(['--transaction-mb', value]).reading.restore;
  expect(flagged.transactionBytes).toBe(mebibytes * MIB);
});

test.each(['0', '129', '200', '1000', '016', '1.5', '-1', '16MB'])(
  'RESTORE_TRANSACTION_MB=%s is refused',
  (value) => {
    expect(() => configOf([], { RESTORE_TRANSACTION_MB: value })).toThrow(
      `RESTORE_TRANSACTION_MB="${value}": must be a whole number from 1 to 128 (MiB)`,
    );
  },
);

test.each<[string, Record<string, string>, string[], string[]]>([
  ['nothing', {}, [], []],
  ['an empty variable', { STAGING_LIMIT_MB: '', MYLOADER_BIN: '' }, [], []],
  ['a variable', { STAGING_LIMIT_MB: '64' }, [], ['STAGING_LIMIT_MB']],
  ['a flag', {}, ['--myloader-bin', '/nowhere'], ['MYLOADER_BIN']],
  [
    'all of them',
    { MYLOADER_BIN: '/nowhere', STAGING_LIMIT_MB: '64', OUTPUTDIR: '/nowhere' },
    [],
    ['STAGING_LIMIT_MB', 'MYLOADER_BIN'],
  ],
])('settings that a restore does not use: with %s', (_case, environment, argv, unused) => {
  expect(configOf(argv, environment).reading.restore.unused).toEqual(unused);
});
