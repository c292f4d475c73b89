import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cell, cellFile, mydumperColumn, serverColumn } from './cell.ts';
import { type Outcome, PARTS, type Part, type Row } from './row.ts';

/** One pair's results in docs/compatibility. */
export type CellRecord = Cell & {
  /** The day of the run, such as `2026-11-28`. */
  readonly date: string;
  readonly rows: Readonly<Record<string, Outcome>>;
};

const DIRECTORY = fileURLToPath(new URL('../../docs/compatibility/', import.meta.url));
export const PAGE = fileURLToPath(new URL('../../docs/compatibility.md', import.meta.url));

export function readRecord(cell: Cell): CellRecord | undefined {
  const path = join(DIRECTORY, cellFile(cell));
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as CellRecord) : undefined;
}

export function readRecords(): CellRecord[] {
  if (!existsSync(DIRECTORY)) return [];
  return readdirSync(DIRECTORY)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => JSON.parse(readFileSync(join(DIRECTORY, name), 'utf8')) as CellRecord);
}

export function writeRecord(record: CellRecord): string {
  mkdirSync(DIRECTORY, { recursive: true });
  const name = cellFile(record);
  writeFileSync(join(DIRECTORY, name), `${JSON.stringify(record, undefined, 2)}\n`);
  return `docs/compatibility/${name}`;
}

/** The page's columns, also of servers that were not available for a run yet. */
const SERVERS = [
  'MariaDB 10.11',
  'MariaDB 11.8',
  'MySQL 8.0',
  'MySQL 8.4',
  'MySQL 9',
  'MySQL 9 of Debian',
] as const;

const INTRODUCTION = `# Compatibility: which mydumper with which server

<!-- Written by \`npm run compat\` from docs/compatibility/*.json; a test keeps it so. -->

Each table is one mydumper, each column one server, each row one promise.
\`npm run compat\` runs every row and writes the result. It uses the mydumper that comes first on
the PATH and the server that \`TEST_SERVER\` and \`TEST_SERVER_ROOT\` name.

- **works**: the promise was kept. Contents are compared with the original, table by table and
  program by program.
- **warned**: the backup is incomplete, and the run warns before it starts. The note quotes the
  warning.
- **refused**: the program refuses the backup before the dump (exit 3). The note quotes the reason.
- **fails**: the promise was broken. The note says how.
- **not run**: this server was not available.

"MySQL 9 of Debian" has \`(Debian)\` in \`@@version_comment\`. mydumper 1.x then does not recognise
MySQL. "MySQL 9" is the same server with a comment that names MySQL, as in official builds, RDS and
Aurora.
`;

/** docs/compatibility.md. */
export function renderPage(rows: readonly Row[], records: readonly CellRecord[]): string {
  const tables = [...new Set(records.map(mydumperColumn))].toSorted().map((name) => {
    const own = records.filter((record) => mydumperColumn(record) === name);
    return `## mydumper ${name}\n\n${renderMydumper(rows, own)}`;
  });
  return [INTRODUCTION, ...tables].join('\n');
}

function renderMydumper(rows: readonly Row[], records: readonly CellRecord[]): string {
  const servers = [...new Set([...SERVERS, ...records.map(serverColumn)])];
  const of = (server: string) => records.find((record) => serverColumn(record) === server);
  const notes: string[] = [];
  const cell = (row: Row, record: CellRecord | undefined): string => {
    if (record === undefined) return 'not run';
    const outcome = record.rows[row.id];
    if (outcome === undefined) return row.only === undefined ? 'not run' : 'none';
    if (outcome.note === undefined) return outcome.result;
    const known = notes.indexOf(outcome.note);
    const number = known === -1 ? notes.push(outcome.note) : known + 1;
    return `${outcome.result} ${number}`;
  };
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  const head = [line(['', ...servers]), line(['---', ...servers.map(() => '---')])];
  const runs = [
    line(['mydumper', ...servers.map((server) => of(server)?.mydumper ?? '')]),
    line(['client library', ...servers.map((server) => of(server)?.client ?? '')]),
    line(['server', ...servers.map((server) => of(server)?.server ?? '')]),
    line(['run on', ...servers.map((server) => of(server)?.date ?? 'not run')]),
  ];
  const body = Object.entries(PARTS).flatMap(([part, title]) => [
    line([`**${title}**`, ...servers.map(() => '')]),
    ...rowsOf(rows, part as Part).map((row) =>
      line([row.promise, ...servers.map((server) => cell(row, of(server)))]),
    ),
  ]);
  const list = notes.map((note, index) => `${index + 1}. ${escapeMarkdown(note)}`);
  const table = `${[...head, ...runs, ...body].join('\n')}\n`;
  return list.length === 0 ? table : `${table}\n${list.join('\n')}\n`;
}

function rowsOf(rows: readonly Row[], part: Part): readonly Row[] {
  return rows.filter((row) => row.part === part);
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_<>[\]]/g, '\\$&');
}
