/** A routine, trigger or event that a file of the dump creates. */
export type DumpedProgram = {
  /** `procedure`, `function`, `package`, `package body`, `trigger`, `event`. */
  readonly kind: string;
  /** Its bytes, each a character: some servers keep the name in the encoding of its creation. */
  readonly nameBytes: string;
};

/** Reads which programs one file creates, piece by piece. */
export type ProgramReader = {
  readonly add: (piece: Uint8Array) => void;
  /** Of the statements so far, in their order. */
  readonly programs: () => readonly DumpedProgram[];
};

const END = ';\n';
/** Enough of a statement for its definer and its name. */
const HEAD_LENGTH = 4096;

const SPACE = '(?:\\s|/\\*(?!!)[\\s\\S]*?\\*/|--[^\\n]*\\n|#[^\\n]*\\n)+';
const NAME = '(?:`(?:[^`]|``)+`|"(?:[^"]|"")+"|[0-9A-Za-z$_\\x80-\\xff]+)';
const ACCOUNT = '(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|\'(?:[^\']|\'\')*\'|[^\\s@`"\']+)';
const HEAD = new RegExp(
  `^\\s*CREATE${SPACE}(?:OR${SPACE}REPLACE${SPACE})?` +
    `(?:DEFINER\\s*=\\s*${ACCOUNT}(?:\\s*@\\s*${ACCOUNT})?${SPACE})?` +
    `(?:AGGREGATE${SPACE})?(PROCEDURE|FUNCTION|PACKAGE(?:\\s+BODY)?|TRIGGER|EVENT)${SPACE}` +
    `(?:IF${SPACE}NOT${SPACE}EXISTS${SPACE})?(?:${NAME}\\s*\\.\\s*)?(${NAME})`,
  'i',
);

/** Whether mydumper writes programs into a file of this name. */
export function mayHoldPrograms(fileName: string): boolean {
  return /-schema-(?:post|triggers)\.sql$/.test(fileName);
}

/**
 * A statement ends with `;` at the end of a line. Within bodies mydumper puts a blank after each
 * such `;`. Keeps only the beginning of a statement.
 */
export function createProgramReader(): ProgramReader {
  const programs: DumpedProgram[] = [];
  let head = '';
  let endsWithSemicolon = false;
  const take = (text: string) => {
    if (head.length < HEAD_LENGTH) head += text.slice(0, HEAD_LENGTH - head.length);
  };
  const close = () => {
    const program = programIn(head);
    if (program !== undefined) programs.push(program);
    head = '';
  };
  return {
    add: (piece) => {
      if (piece.byteLength === 0) return;
      const data = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      const text = data.toString('latin1');
      let start = 0;
      if (endsWithSemicolon && text.startsWith('\n')) {
        close();
        start = 1;
      }
      for (let at = text.indexOf(END, start); at !== -1; at = text.indexOf(END, start)) {
        take(text.slice(start, Math.min(at, start + HEAD_LENGTH)));
        close();
        start = at + END.length;
      }
      take(text.slice(start, start + HEAD_LENGTH));
      endsWithSemicolon = text.endsWith(';');
    },
    programs: () => {
      const last = programIn(head);
      return last === undefined ? programs : [...programs, last];
    },
  };
}

function programIn(statement: string): DumpedProgram | undefined {
  const [, kind, name] = HEAD.exec(statement) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  return { kind: kind.toLowerCase().replace(/\s+/g, ' '), nameBytes: unquoted(name) };
}

function unquoted(name: string): string {
  const quote = name[0];
  if (quote !== '`' && quote !== '"') return name;
  return name.slice(1, -1).replaceAll(quote + quote, quote);
}
