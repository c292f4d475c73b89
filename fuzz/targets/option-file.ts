import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { ServerConfig } from '../../app/config.ts';
import { renderOptionFile } from '../../app/mydumper/option-file.ts';
import { startMariaDb } from '../../test/support/mariadb/harness.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

/** What PASSWORD may be: no line ends, no NUL, and what can stand in an environment at all. */
const password = hostileText(8).filter((text) => text.isWellFormed() && !/[\0\n\r]/.test(text));

const server = (text: string, port = 3306): ServerConfig => ({
  host: '127.0.0.1',
  port,
  socket: undefined,
  queryTimeoutSeconds: 60,
  user: 'fuzz',
  password: text,
  tls: { mode: undefined, caFile: undefined },
});

const tls = { flags: [], lines: [] };

function inDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'mf-fuzz-'));
  return {
    path: join(directory, 'options.cnf'),
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** MariaDB's own reader of option files finds the password as it is, and only our options. */
export const optionFile: Target = {
  name: 'option-file',
  quickCases: 60,
  open: () => {
    const { path, close } = inDirectory();
    return {
      close,
      property: fc.property(password, fc.constantFrom('classic', 'modern'), (text, generation) => {
        writeFileSync(
          path,
          renderOptionFile(server(text), { net_write_timeout: 1 }, generation, tls),
        );
        const read = execFileSync('my_print_defaults', [`--defaults-file=${path}`, 'client'], {
          encoding: 'utf8',
        });
        const [first, ...rest] = read.split('\n').filter((line) => line !== '');
        assert.equal(first, `--password=${text}`);
        for (const line of rest) assert.match(line, /^--init-command=SET SESSION [\w=, ':+]+$/);
      }),
    };
  },
};

/** mydumper, which has a reader of its own (libmariadb's), logs in with the password. */
export const passwordOfMydumper: Target = {
  name: 'password-mydumper',
  quickCases: 4,
  open: async () => {
    const { path, close } = inDirectory();
    const db = await startMariaDb();
    await db.query("CREATE USER fuzz@'%'");
    await db.query("GRANT ALL ON *.* TO fuzz@'%'");
    return {
      close: async () => {
        await db.stop();
        close();
      },
      property: fc.asyncProperty(password, async (text) => {
        await db.query("SET PASSWORD FOR fuzz@'%' = PASSWORD(?)", [text]);
        writeFileSync(path, renderOptionFile(server(text, db.port), {}, 'classic', tls));
        const argv = [
          `--defaults-file=${path}`,
          '--user=fuzz',
          '--host=127.0.0.1',
          `--port=${db.port}`,
          `--outputdir=${path}.d`,
          '--regex=^none$',
        ];
        execFileSync('mydumper', argv, { stdio: 'pipe' });
      }),
    };
  },
};
