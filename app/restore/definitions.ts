export type DefinitionKind =
  | 'TABLE'
  | 'VIEW'
  | 'TRIGGER'
  | 'FUNCTION'
  | 'PROCEDURE'
  | 'EVENT'
  | 'SEQUENCE';

/** One object that a file of the dump creates. */
export type Definition = {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly statement: string;
  /** As it stands in the file. */
  readonly original: string;
};

/**
 * A doubled quote within a name reads as the end of one name and the start of another. Each text
 * therefore has only one reading.
 */
const QUALIFIER = '(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|[^\\s("`.]+)\\s*\\.\\s*';
const CREATE = new RegExp(
  "^CREATE\\b(?:\\s+OR REPLACE)?(?:`[^`]*`|'[^']*'|[^`'(])*?" +
    '\\b(TABLE|VIEW|TRIGGER|FUNCTION|PROCEDURE|EVENT|SEQUENCE)\\s+(?:IF NOT EXISTS\\s+)?' +
    `(?:${QUALIFIER})?(?:\`((?:[^\`]|\`\`)+)\`|"((?:[^"]|"")+)"|([^\\s("\`.]+))`,
);

/**
 * The definitions in a file of schemas, views, triggers or routines, in order. Statements end with
 * `;` at the end of a line. A blank follows inner ones. Pure.
 */
export function readDefinitions(text: string): Definition[] {
  return text.split(/;\n/).flatMap((part) => {
    const statement = withoutComments(part);
    const [, kind, quoted, ansi, plain] = CREATE.exec(statement) ?? [];
    const name = quoted?.replaceAll('``', '`') ?? ansi?.replaceAll('""', '"') ?? plain;
    return kind === undefined || name === undefined
      ? []
      : [
          {
            kind: kind as DefinitionKind,
            name,
            statement: normalize(statement),
            original: statement,
          },
        ];
  });
}

/** Lines before the statement that are none of it. */
function withoutComments(part: string): string {
  return part.replace(/^(?:\s+|--[^\n]*\n|\/\*(?!!)[\s\S]*?\*\/)+/, '');
}

/**
 * The parts in which two texts of the same definition differ: the blank after inner semicolons, the
 * counter, the last `;`.
 */
export function normalize(statement: string): string {
  return withoutEnd(
    statement
      .replaceAll('; \n', ';\n')
      .replace(/\r\n/g, '\n')
      .replace(/ AUTO_INCREMENT=\d+/, '')
      // MySQL tells the character set or leaves it to the collation, which names it.
      .replace(/ CHARACTER SET (\w+) COLLATE (?=\1_)/g, ' COLLATE '),
  ).trimStart();
}

/** Without semicolons and blanks at its end. */
function withoutEnd(statement: string): string {
  let end = statement.length;
  while (end > 0 && /[;\s]/.test(statement.charAt(end - 1))) end -= 1;
  return statement.slice(0, end);
}

/** A quoted name or text. */
export const QUOTED = /`(?:[^`]|``)*`|'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"/g;

/** With an empty text in place of each quoted name and text. Pure. */
export function withoutQuoted(statement: string): string {
  return statement.replace(QUOTED, "''");
}

/**
 * Whether the server's definition equals the file's. Names of the backup's database count as names
 * of the server's database. Pure.
 *
 * MariaDB 10.11 shows a view's columns with their database where its definer has no account, and
 * without it where the account exists. Accounts are made after the restore, so the comparison
 * ignores the view's own database.
 */
export function isSame(
  { kind, statement }: Definition,
  inServer: string,
  database: string,
  as: string,
): boolean {
  const mine = normalize(inServer);
  if (statement === mine) return true;
  const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\`.`;
  if (kind === 'VIEW')
    return statement.replaceAll(quoted(database), '') === mine.replaceAll(quoted(as), '');
  return statement.replaceAll(quoted(database), quoted(as)) === mine;
}
