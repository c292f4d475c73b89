import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type Connection, createConnection } from 'mysql2/promise';
import type { FakeRun } from './fake-myloader.ts';
import { logOf, readRecording, readTools } from './recording/recording.ts';

const CLIENT = 'mysql-client';
const RECORDED = `${CLIENT}/mysql-9`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
/** Options of 1.x that restores use. A test compares them with the output of `--help`. */
export const OPTIONS = {
  directory: { ...text, short: 'd' },
  database: { ...text, short: 'B' },
  'source-db': { ...text, short: 's' },
  'queries-per-transaction': { ...text, short: 'q' },
  'drop-table': { ...flag, short: 'o' },
  'optimize-keys': text,
  checksum: text,
  threads: { ...text, short: 't' },
  'max-threads-per-table': text,
  verbose: { ...text, short: 'v' },
  'defaults-file': text,
  'defaults-extra-file': text,
  host: { ...text, short: 'h' },
  user: { ...text, short: 'u' },
  port: { ...text, short: 'P' },
  socket: { ...text, short: 'S' },
  protocol: text,
  'ssl-mode': text,
  fifodir: text,
  'load-data-tmp-dir': text,
  ca: text,
  version: { ...flag, short: 'V' },
} satisfies ParseArgsConfig['options'];

/** The line of a recorded run that holds `text`. */
function recorded(run: string, text: string): string {
  const line = logOf(readRecording(`${RECORDED}/${run}`)).find((each) => each.includes(text));
  if (line === undefined) throw new Error(`${run} has no line with ${JSON.stringify(text)}`);
  return line;
}

const say = (line: string) => process.stderr.write(`${line}\n`);

/**
 * Prints the warning or the error of a recorded run after the empty line that GLib puts before it.
 */
const complain = (line: string) => say(`\n${line}`);

function refuse(line: string): never {
  complain(line);
  process.exit(1);
}

/** `[section]` and `key=value`, values in double quotes or not. */
function readOptions(content: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let section = '';
  for (const line of content.split('\n')) {
    if (line.startsWith('[')) section = line.slice(1, -1);
    const [, key, value = ''] = /^([\w-]+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined)
      values.set(`${section}.${key}`, value.replace(/^"(.*)"$/, '$1').replace(/\\(.)/g, '$1'));
  }
  return values;
}

/**
 * Splits a file into statements, which end with `;` at the end of a line. Each byte becomes one
 * character, as SET NAMES binary sends it.
 */
const statementsOf = (path: string): string[] =>
  readFileSync(path, 'latin1')
    .split(/(?<=;\n)/)
    .filter((statement) => statement.trim() !== '');

async function load(directory: string, argv: string[]): Promise<void> {
  const parsed = (() => {
    try {
      return parseArgs({ args: argv, options: OPTIONS, strict: true }).values;
    } catch (error) {
      const option = /'(-[^' ]*)/.exec((error as Error).message)?.[1] ?? '';
      return refuse(
        recorded('load-unknown-option', 'option parsing').replace('--no-such-option', option),
      );
    }
  })();
  if (parsed.version) {
    process.stdout.write(`${readTools(CLIENT).myloader.version}\n`);
    return;
  }
  const from = parsed.directory ?? '';
  if (!existsSync(join(from, 'metadata')))
    refuse(
      recorded('load-without-metadata', 'is not a mydumper backup').replace('{outputdir}', from),
    );
  const names = readdirSync(from).toSorted();
  const content = readFileSync(parsed['defaults-file'] ?? '/dev/null', 'utf8');
  // In a check of the connection, the option file ends each session with an error.
  if (content.includes('SIGNAL SQLSTATE'))
    refuse(
      recorded('load-wrong-password', 'Error connection').replace(
        /Access denied.*/,
        'mydumper-fargate connected',
      ),
    );
  const runs = join(directory, 'runs');
  const run: FakeRun = { argv, options: content, files: names };
  const data = names.filter((name) => /^[^-]+\.sql$/.test(name));
  const number = readdirSync(runs).length + 1;
  writeFileSync(join(runs, `${number}${data.length > 0 ? '.data' : ''}`), JSON.stringify(run));

  const options = readOptions(content);
  const inTransactions = Number(parsed['queries-per-transaction'] ?? 1000) > 1;
  const threads = Math.max(2, Number(parsed.threads ?? 4));
  const open = async (): Promise<Connection> => {
    const connection = await createConnection({
      host: parsed.host ?? 'localhost',
      port: Number(parsed.port ?? 3306),
      user: parsed.user ?? 'root',
      password: options.get('client.password') ?? '',
      charset: 'utf8mb4',
      flags: ['-IGNORE_SPACE'],
    });
    await connection.query('SET NAMES binary');
    const settings = new Map([
      ['SQL_LOG_BIN', '0'],
      ['FOREIGN_KEY_CHECKS', '0'],
      ...(inTransactions ? [['AUTOCOMMIT', '0'] as const] : []),
    ]);
    for (const [name, value] of options)
      if (name.startsWith('myloader_session_variables.'))
        settings.set(name.split('.')[1] ?? '', value);
    for (const [name, value] of settings) await connection.query(`SET SESSION ${name} = ${value}`);
    return connection;
  };
  say(recorded('load', 'MyDumper restore version'));
  const pool = await Promise.all(Array.from({ length: threads }, open));
  const [first] = pool;
  if (first === undefined) return;

  const send = async (connection: Connection, statement: string) => {
    for (let tries = 1; ; tries += 1) {
      try {
        await connection.query(statement);
        return;
      } catch (error) {
        const { errno, message } = error as Error & { errno?: number };
        const level = tries > 1 ? 'CRITICAL' : 'WARNING';
        const line = recorded('load-duplicate-key', `${level} **`);
        complain(
          line.replace(
            /ERROR 1062: (Error occurs between lines: \d+ and \d+: ).*/,
            (_line, where: string) => `ERROR ${errno}: ${where}${message}`,
          ),
        );
        if (tries > 1) process.kill(process.pid, 'SIGABRT');
      }
    }
  };
  const databaseOf = (name: string) =>
    parsed.database ?? name.replace(/-schema-(?:create|post)\.sql$/, '').split('.')[0] ?? '';
  const use = (connection: Connection, name: string) =>
    connection.query(`USE \`${databaseOf(name).replaceAll('`', '``')}\``);
  const plain = async (pattern: RegExp) => {
    for (const name of names.filter((each) => pattern.test(each))) {
      say(recorded('load', 'restoring create database').replace('shop-schema-create.sql', name));
      if (!name.endsWith('-schema-create.sql')) await use(first, name);
      for (const statement of statementsOf(join(from, name))) {
        if (/^CREATE DATABASE/.test(statement))
          await first.query(`CREATE DATABASE IF NOT EXISTS \`${databaseOf(name)}\``);
        else await send(first, statement);
      }
    }
  };
  await plain(/-schema-create\.sql$/);
  await plain(/(?<!-create|-post|-view|-triggers)-schema\.sql$/);
  const nth = readdirSync(runs).filter((name) => /data/.test(name)).length;
  const holds = data.length > 0 && readFileSync(join(directory, 'holds'), 'utf8') === String(nth);
  const isInsert = (statement: string) => /^(?:INSERT|REPLACE)/.test(statement);
  const half = data.flatMap((name) => statementsOf(join(from, name))).filter(isInsert).length / 2;
  let sent = 0;
  for (const name of data) {
    say(recorded('load', 'restoring shop.orders part').replace('shop.orders.00000.sql', name));
    for (const connection of pool) await use(connection, name);
    for (const statement of statementsOf(join(from, name))) {
      if (!isInsert(statement)) {
        for (const connection of pool) await send(connection, statement);
        continue;
      }
      await send(pool[sent % pool.length] ?? first, statement);
      sent += 1;
      if (holds && sent >= half) {
        writeFileSync(join(directory, 'held'), '');
        await sleep(600_000);
      }
    }
    if (inTransactions) for (const connection of pool) await connection.query('COMMIT');
  }
  await plain(/-schema-post\.sql$/);
  await plain(/-schema-view\.sql$/);
  await plain(/-schema-triggers\.sql$/);
  if (inTransactions) for (const connection of pool) await connection.query('COMMIT');
  for (const connection of pool) await connection.end();
}

const [, self, directory, ...argv] = process.argv;
if (self === fileURLToPath(import.meta.url) && directory !== undefined) await load(directory, argv);
