import { expect, test } from 'vitest';
import { describeTool, parseVersion } from '../../app/mydumper/version.ts';

test.each([
  [
    'mydumper 0.10.0, built against MySQL 10.11.14',
    "mydumper 0.10.0 with MariaDB's client library 10.11.14",
    'classic',
  ],
  [
    'mydumper 0.10.0, built against MySQL 8.0.36',
    "mydumper 0.10.0 with MySQL's client library 8.0.36",
    'classic',
  ],
  [
    'mydumper v1.0.1-3, built against MariaDB 10.11.19 with SSL support',
    "mydumper 1.0.1-3 with MariaDB's client library 10.11.19",
    'modern',
  ],
  [
    'mydumper v1.0.1-3, built against MySQL 9.7.4 with SSL support',
    "mydumper 1.0.1-3 with MySQL's client library 9.7.4",
    'modern',
  ],
])('%j is %s', (output, described, generation) => {
  const version = parseVersion(`${output}\n`);
  expect(version).toMatchObject({ generation, library: { tls: true } });
  expect(version === undefined ? undefined : describeTool(version)).toBe(described);
});

test('a 1.x that prints no SSL support has no options for TLS', () => {
  expect(parseVersion('mydumper v1.0.1-3, built against MySQL 9.7.4')?.library.tls).toBe(false);
});

test.each([
  'mydumper 0.12.7-1, built against MySQL 8.0.29',
  'mydumper v2.0.0-1, built against MySQL 9.7.0',
  'myloader 0.10.0, built against MySQL 8.0.36',
  '',
])('%j is not a supported version', (output) => {
  expect(parseVersion(output)).toBeUndefined();
});
