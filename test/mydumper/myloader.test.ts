import { expect, test } from 'vitest';
import type { ServerConfig } from '../../app/config.ts';
import { myloaderArguments } from '../../app/mydumper/myloader.ts';
import { renderLoaderOptionFile } from '../../app/mydumper/option-file.ts';
import { isError } from '../../app/restore/run-myloader.ts';

const server: ServerConfig = {
  host: 'db',
  port: 3306,
  socket: undefined,
  queryTimeoutSeconds: 60,
  user: 'admin',
  password: 'secret',
  tls: { mode: undefined, caFile: undefined },
};
const tls = { flags: ['--ssl'], lines: ['ssl-verify-server-cert=0'] };
const argumentsOf = (generation: 'classic' | 'modern') =>
  myloaderArguments({
    generation,
    directory: '/d',
    optionFile: '/o',
    threads: 4,
    as: undefined,
    server,
    tls,
  });

test('0.10 loads a file in one transaction, 1.x each statement; both write the binary log', () => {
  expect(argumentsOf('classic')).toEqual(
    expect.arrayContaining(['--queries-per-transaction=1000000000', '--enable-binlog']),
  );
  expect(argumentsOf('modern')).toContain('--queries-per-transaction=1');
  expect(renderLoaderOptionFile(server, 'modern', true, tls)).toMatch(
    /^\[myloader_session_variables\]\nSQL_LOG_BIN=1$/m,
  );
  expect(renderLoaderOptionFile(server, 'classic', true, tls)).not.toContain(
    'myloader_session_variables',
  );
});

test.each([
  ['error', 'anything', true],
  ['info', 'ERROR 1062: in a name', false],
  [
    'warning',
    'Thread 1 using connection 7 - ERROR 1213: Deadlock found when trying to get lock',
    false,
  ],
  ['warning', 'Thread 1 using connection 7 - ERROR 1205: Lock wait timeout exceeded', false],
  ['warning', 'Set session failed: SET SESSION SQL_LOG_BIN = 1 - ERROR 1227: Access denied', false],
  [
    'warning',
    'Thread 1 using connection 7 - ERROR 2013: Lost connection to server during query',
    true,
  ],
  ['warning', 'Thread 1 using connection 7 - ERROR 1062: Duplicate entry', true],
  ['warning', 'Checksum failed for shop.t', false],
] as const)('%s %j makes a load bad: %s', (level, text, expected) => {
  expect(isError(level, text)).toBe(expected);
});
