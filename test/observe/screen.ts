export type Screen = {
  readonly write: (text: string) => void;
  readonly lines: () => readonly string[];
};

/** What one step of output may be: an escape sequence, a line feed, or a character. */
const STEP = /\p{Cc}\[(?<parameters>[?\d;]*)(?<command>[A-Za-z])|./gsu;

/**
 * A terminal without edges, with the features that log-update uses: text, line feeds, cursor up,
 * down and left, erasing of lines. It throws on anything else, so its content equals a real
 * terminal's.
 */
export function createScreen(): Screen {
  const rows: string[][] = [[]];
  let row = 0;
  let column = 0;
  const cells = () => {
    while (rows.length <= row) rows.push([]);
    return rows[row] ?? [];
  };
  const control = (command: string, parameters: string) => {
    if (parameters.startsWith('?')) return; // synchronized output, on and off
    const count = Number(parameters === '' ? 1 : parameters);
    if (command === 'A') row = Math.max(0, row - count);
    else if (command === 'B') row += count;
    else if (command === 'G') column = count - 1;
    else if (command === 'K' && parameters === '2') cells().length = 0;
    else if (command === 'K' && parameters === '')
      cells().length = Math.min(cells().length, column);
    else throw new Error(`unknown escape sequence ${parameters}${command}`);
  };
  return {
    write: (text) => {
      for (const { 0: step, groups } of text.matchAll(STEP)) {
        if (groups?.command !== undefined) control(groups.command, groups.parameters ?? '');
        else if (step === '\n') {
          row += 1;
          column = 0;
        } else if (/\p{Cc}/u.test(step))
          throw new Error(`unknown control character ${JSON.stringify(step)}`);
        else {
          const line = cells();
          while (line.length < column) line.push(' ');
          line[column] = step;
          column += 1;
        }
      }
    },
    lines: () => {
      const lines = rows.map((line) => line.join('').trimEnd());
      while (lines.at(-1) === '') lines.pop();
      return lines;
    },
  };
}
