import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerConfig } from '../../../app/config.ts';
import { myloaderArguments } from '../../../app/mydumper/myloader.ts';
import { renderLoaderOptionFile, writeOptionFile } from '../../../app/mydumper/option-file.ts';
import { toolEnvironment } from '../../../app/mydumper/version.ts';
import { temporaryDirectory } from '../program.ts';
import { neutralRecording } from './neutral.ts';
import type { Recording } from './recording.ts';
import { type RecordedServer, removeDatabases } from './server.ts';
import { recordedTls } from './tls.ts';
import { watchTool } from './watch-tool.ts';

/** One run of myloader to record. */
export type RecordedLoad = {
  readonly name: string;
  /** The run in one sentence; the recording keeps it. */
  readonly run: string;
  /** Changes the directory before it is loaded. */
  readonly spoil?: (directory: string) => void;
  readonly password?: string;
  readonly further?: readonly string[];
};

const ROWS = 'shop.orders.00000.sql';

export const LOADS: readonly RecordedLoad[] = [
  { name: 'load', run: 'A directory with a database of two tables.' },
  {
    name: 'load-duplicate-key',
    run: 'A row that is already in the table.',
    spoil: (directory) =>
      appendFileSync(join(directory, ROWS), "INSERT INTO `orders` VALUES(1,'again')\n;\n"),
  },
  {
    name: 'load-syntax-error',
    run: 'An invalid statement.',
    spoil: (directory) =>
      appendFileSync(join(directory, ROWS), 'INSERT INTO `orders` VALUES(\n;\n'),
  },
  {
    name: 'load-without-metadata',
    run: 'A directory without metadata.',
    spoil: (directory) => rmSync(join(directory, 'metadata')),
  },
  {
    name: 'load-wrong-password',
    run: 'A wrong password.',
    password: 'not the right one',
  },
  {
    name: 'load-unknown-option',
    run: 'An option that myloader does not have.',
    further: ['--no-such-option'],
  },
];

/** A small dump, in the form of 1.x. */
function writeDump(directory: string): void {
  const files: Readonly<Record<string, string>> = {
    metadata:
      '[config]\nquote-character = ' +
      'BACKTICK\n\n[`shop`.`orders`]\nreal_table_name=orders\nrows = 2\n',
    'shop-schema-create.sql': 'CREATE DATABASE IF NOT EXISTS `shop`;\n',
    'shop.orders-schema.sql':
      'CREATE TABLE `orders` (`id` int PRIMARY KEY, `name` text) ENGINE=InnoDB;\n',
    'shop.empty-schema.sql': 'CREATE TABLE `empty` (`id` int PRIMARY KEY) ENGINE=InnoDB;\n',
    [ROWS]: "/*!40101 SET NAMES binary*/;\nINSERT INTO `orders` VALUES(1,'one')\n,(2,'two')\n;\n",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

/** Runs myloader once as the program does, on a server without other databases. */
export async function recordLoad(
  load: RecordedLoad,
  server: RecordedServer,
  tool: string,
): Promise<Recording> {
  await removeDatabases(server);
  const { path, remove } = temporaryDirectory('mf-record');
  const directory = join(path, 'dump');
  const optionFile = join(path, 'my.cnf');
  const { host, port, user } = server;
  const password = load.password ?? server.password;
  const address: ServerConfig = {
    ...{ host, port, user, password, socket: undefined, queryTimeoutSeconds: 60 },
    tls: { mode: 'disabled', caFile: undefined },
  };
  try {
    mkdirSync(directory);
    writeDump(directory);
    load.spoil?.(directory);
    const tls = recordedTls(address.tls, tool);
    const options = renderLoaderOptionFile(address, 'modern', true, tls);
    writeOptionFile(optionFile, options);
    const plan = {
      generation: 'modern',
      directory,
      optionFile,
      threads: 2,
      as: undefined,
      server: address,
      tls,
    } as const;
    const argv = [...myloaderArguments(plan), ...(load.further ?? [])];
    const given = new Set(readdirSync(directory));
    const watched = await watchTool({
      command: ['myloader', ...argv],
      // myloader leaves directories there when it fails.
      environment: { ...toolEnvironment(process.env.PATH ?? ''), TMPDIR: path },
      directory,
      ignored: (name) => given.has(name),
      onLine: () => {},
    });
    return neutralRecording(
      {
        run: load.run,
        tool,
        server: server.version,
        argv,
        optionFile: options.split('\n'),
        ...watched,
      },
      {
        outputDirectory: directory,
        optionFile,
        password,
        ports: [port],
        others: [
          [directory, '{outputdir}'],
          [`${path}/`, '/tmp/'],
        ],
      },
    );
  } finally {
    remove();
    await removeDatabases(server);
  }
}
