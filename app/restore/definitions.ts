export type DefinitionKind = 'TABLE' | 'VIEW' | 'TRIGGER' | 'FUNCTION' | 'PROCEDURE' | 'EVENT' | 'SEQUENCE';

/** One object that a file of the dump creates. */
export type Definition = { readonly kind: DefinitionKind; readonly name: string; readonly statement: string };

const CREATE =
  /^CREATE\b(?:\s+OR REPLACE)?(?:`(?:[^`]|``)*`|'(?:[^']|'')*'|[^`'(])*?\b(TABLE|VIEW|TRIGGER|FUNCTION|PROCEDURE|EVENT|SEQUENCE)\s+(?:IF NOT EXISTS\s+)?(?:(?:`(?:[^`]|``)*`|[^\s(`.]+)\s*\.\s*)?(?:`((?:[^`]|``)+)`|([^\s(`.]+))/;

/**
 * The definitions in a file of schemas, views, triggers or routines, in order. Pure. Statements end with `;` at the end of a line; inner
 * ones are followed by a blank.
 */
export function readDefinitions(text: string): Definition[] {
  return text.split(/;\n/).flatMap((part) => {
    const statement = withoutComments(part);
    const [, kind, quoted, plain] = CREATE.exec(statement) ?? [];
    const name = quoted?.replaceAll('``', '`') ?? plain;
    return kind === undefined || name === undefined
      ? []
      : [{ kind: kind as DefinitionKind, name, statement: normalize(statement) }];
  });
}

/** Lines before the statement that are none of it. */
function withoutComments(part: string): string {
  return part.replace(/^(?:\s+|--[^\n]*\n|\/\*(?!!)[\s\S]*?\*\/)+/, '');
}

/** What differs between two tellings of the same definition: the blank after inner semicolons, the counter, the last `;`. */
export function normalize(statement: string): string {
  return statement
    .replaceAll('; \n', ';\n')
    .replace(/\r\n/g, '\n')
    .replace(/ AUTO_INCREMENT=\d+/, '')
    .replace(/[;\s]+$/, '')
    .trim();
}

/** Whether the server tells the same definition as the file; names of the backup's database count as those of the server's. Pure. */
export function isSame(inFile: string, inServer: string, database: string, as: string): boolean {
  const mine = normalize(inServer);
  if (inFile === mine) return true;
  const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\`.`;
  return inFile.replaceAll(quoted(database), quoted(as)) === mine;
}
