// `npm run test:mysql` runs the compatibility suite and tests of sessions, locks and names. It uses
// MySQL of Debian sid and the first mydumper on the PATH. Where MySQL is not available it prints
// one line that says so.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mysqlTree, whyNoMysql } from './tree.ts';

/** Tests that work with a server of either vendor. */
const TESTS = [
  'test/database/dump-session.test.ts',
  'test/database/lock-wait.test.ts',
  'test/database/one-server.test.ts',
  'test/database/programs-seen.test.ts',
  'test/database/run-lock.test.ts',
  'test/database/run-lock-lost.test.ts',
  'test/database/standstill.test.ts',
  'test/database/statement-wire.test.ts',
  'test/database/statement-wire-lost.test.ts',
  'test/database/timeouts.test.ts',
  'test/database/user-rights.test.ts',
  'test/e2e/consistency.test.ts',
  'test/e2e/mydumper-faults.test.ts',
  'test/e2e/names.test.ts',
  'test/e2e/odd-contents.test.ts',
  'test/e2e/programs.test.ts',
  'test/e2e/signals.test.ts',
  'test/e2e/tls.test.ts',
  'test/e2e/tls-restore.test.ts',
  'test/e2e/tls-tools.test.ts',
  'test/restore/deadlock.test.ts',
  'test/restore/hostile.test.ts',
  'test/restore/interruptions.test.ts',
  'test/restore/large-rows.test.ts',
  'test/restore/target-defaults.test.ts',
];

function vitest(tree: string, ...words: readonly string[]): number {
  const env = {
    ...process.env,
    TEST_SERVER_ROOT: tree,
    TEST_SERVER: 'mysqld',
    COMPAT_RECORD: 'no',
  };
  const { status } = spawnSync('vitest', ['run', ...words], { stdio: 'inherit', env });
  return status ?? 1;
}

const why = await whyNoMysql();
if (why !== undefined) {
  process.stdout.write(`test:mysql: not run, since ${why}\n`);
} else {
  process.stdout.write(
    'test:mysql: MySQL of Debian sid, which debootstrap installs if it is missing\n',
  );
  const tree = await mysqlTree(join(tmpdir(), 'mydumper-fargate-mysql'));
  const results = [vitest(tree, '--config', 'vitest.compat.config.ts'), vitest(tree, ...TESTS)];
  process.exitCode = results.every((status) => status === 0) ? 0 : 1;
}
