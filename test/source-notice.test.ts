import { expect, test } from 'vitest';
import { readInvocation, sourceNotice } from '../app/config.ts';

function noticeFor(environment: Record<string, string>): string | undefined {
  const invocation = readInvocation([], { BUCKET: 'backups', ...environment });
  if (invocation.kind !== 'run') throw new Error('not a run');
  return sourceNotice(invocation.config);
}

test.each([
  [{ HOST: 'db.internal' }],
  [{ HOST: 'db.internal', PORT: '3306' }],
  [{ HOST: 'db.internal', PORT: '3307', SOURCE: 'shop' }],
  [{ SOCKET: '/run/mysqld/mysqld.sock', SOURCE: 'shop' }],
])('%j names one server: no notice about SOURCE', (environment) => {
  expect(noticeFor(environment)).toBeUndefined();
});

test.each([
  [{ HOST: 'db.internal', PORT: '3307' }, 'db.internal', 'db.internal-3307'],
  [{ PORT: '13306' }, 'localhost', 'localhost-13306'],
  [{ HOST: '::1', PORT: '3307' }, '--1', '--1-3307'],
  [{ SOCKET: '/run/mysqld/mysqld.sock' }, 'localhost', 'localhost-run-mysqld-mysqld.sock'],
  [{ SOCKET: 'mysqld.sock', PORT: '3307' }, 'localhost', 'localhost-mysqld.sock'],
])('%j: the notice says which SOURCE to set', (environment, source, own) => {
  const notice = noticeFor(environment) ?? '';
  expect(notice).toMatch(
    new RegExp(`^SOURCE is ${source}, taken from HOST: .*"latest".* SOURCE=${own} `),
  );
  // The program accepts the SOURCE that the notice names, and then prints no notice.
  expect(noticeFor({ ...environment, SOURCE: own })).toBeUndefined();
});
