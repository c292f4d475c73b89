import { QUOTED, withoutQuoted } from './definitions.ts';
import type { DumpFile } from './selection.ts';
import { kindOf } from './statement-heads.ts';
import { withoutDatabase } from './trigger-names.ts';

/** A statement of a definition file that is not what such a file holds. */
export class ForeignDefinition extends Error {
  constructor(statement: string) {
    const shown = statement.slice(0, 120).replace(/\s+/g, ' ');
    super(`it holds a statement that does not belong there: ${JSON.stringify(shown)}`);
    this.name = 'ForeignDefinition';
  }
}

const NAME = '(`(?:[^`\\0]|``)+`|"(?:[^"\\0]|"")+"|[\\w$\\x80-\\xff]+)';
const ACCOUNT = '(?:`(?:[^`]|``)*`|\'(?:[^\']|\'\')*\'|"(?:[^"]|"")*"|[^\\s@`\'"]+)';
const DROP = new RegExp(`^DROP\\s+(\\w+)\\s+IF\\s+EXISTS\\s+${NAME}\\s*;?\\s*$`, 'i');
const CREATE = new RegExp(
  '^CREATE\\s+(?:OR\\s+REPLACE\\s+)?(?:ALGORITHM\\s*=\\s*\\w+\\s+)?' +
    `(?:DEFINER\\s*=\\s*${ACCOUNT}(?:\\s*@\\s*${ACCOUNT})?\\s+)?` +
    '(?:SQL\\s+SECURITY\\s+\\w+\\s+)?(?:AGGREGATE\\s+)?' +
    '(TABLE|SEQUENCE|VIEW|FUNCTION|PROCEDURE|EVENT|TRIGGER)\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?' +
    `(?:${NAME}\\s*\\.\\s*)?${NAME}`,
  'i',
);
/** A list of columns follows, and not the rows or the shape of another table. */
const COLUMNS = /^\s*\(\s*[`"\w]/;
const QUOTED_OR_COMMENT = new RegExp(
  `${QUOTED.source}|/\\*(?!M?!)[\\s\\S]*?\\*/|(?:--[ \\t]|#)[^\\n]*`,
  'g',
);

/** The objects that a file of each kind may create, and drop before. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  schema: ['TABLE', 'SEQUENCE'],
  view: ['TABLE', 'VIEW'],
  post: ['FUNCTION', 'PROCEDURE', 'EVENT'],
  triggers: ['TRIGGER'],
};

/**
 * Cuts a file of definitions into its statements, each byte a character (`latin1`). Statements end
 * with `;` at the end of a line; mydumper writes a blank after inner ones. Every statement is a
 * setting of the session, or it creates or drops an object that belongs into the file. `moved`: the
 * file is loaded into a database of another name. Pure.
 * @throws ForeignDefinition, UnclearTrigger
 */
export function readDefinitionFile(text: string, file: DumpFile, moved: boolean): string[] {
  const database = Buffer.from(file.database ?? '').toString('latin1');
  if (text.includes('\0')) throw new ForeignDefinition(text.slice(text.indexOf('\0')));
  if (file.kind === 'triggers' && !moved) requireOwnTriggers(text, database);
  return (file.kind === 'triggers' && moved ? withoutDatabase(text, database) : text)
    .split(/;(?:\n|$)/)
    .map(withoutLead)
    .filter((statement) => statement !== '')
    .map((statement) => {
      if (kindOf(`${statement};`) === 'sets') return statement;
      if (!belongs(statement, file, database)) throw new ForeignDefinition(statement);
      return statement;
    });
}

/** @throws UnclearTrigger for a trigger of another database. */
function requireOwnTriggers(text: string, database: string): void {
  withoutDatabase(
    text.replace(QUOTED_OR_COMMENT, (found) => (/^(?:\/\*|--|#)/.test(found) ? ' ' : found)),
    database,
  );
}

/** Comments and blanks before a statement. */
function withoutLead(part: string): string {
  return part.replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*(?!M?!)[\s\S]*?\*\/)+/, '').trimEnd();
}

function belongs(statement: string, { kind, realTable }: DumpFile, database: string): boolean {
  const kinds = KINDS[kind] ?? [];
  const own = Buffer.from(realTable ?? '').toString('latin1');
  const isOwn = (name: string) => kind === 'post' || kind === 'triggers' || plain(name) === own;
  const [, dropped = '', droppedName = ''] = DROP.exec(statement) ?? [];
  if (dropped !== '') return kinds.includes(dropped.toUpperCase()) && isOwn(droppedName);
  const head = CREATE.exec(statement);
  if (head === null) return false;
  const [whole, created = '', qualifier, name = ''] = head;
  if (!kinds.includes(created.toUpperCase()) || !isOwn(name)) return false;
  if (qualifier !== undefined && kind !== 'triggers' && plain(qualifier) !== database) return false;
  if (created.toUpperCase() !== 'TABLE') return true;
  const rest = statement.slice(whole.length);
  return COLUMNS.test(rest) && !/\bSELECT\b/i.test(withoutQuoted(rest));
}

function plain(name: string): string {
  const quote = name[0];
  return quote === '`' || quote === '"' ? name.slice(1, -1).replaceAll(quote + quote, quote) : name;
}
