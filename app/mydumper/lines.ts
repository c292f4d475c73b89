import type { Readable } from 'node:stream';

/**
 * What a line has beyond it is dropped, so that a tool that never ends its line does not fill the
 * memory.
 */
const LONGEST_LINE_CHARACTERS = 64 * 1024;
/**
 * Line ends as terminals and Unicode know them: names are told by the first line of them, whatever
 * ends it.
 */
const LINE_END = /\r\n|[\r\n\u2028\u2029]/;

/**
 * Lines of a stream of text, without their ends; bytes that are not UTF-8 are replaced. An empty
 * line may be given twice.
 */
export async function* readLines(stream: Readable): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let line = '';
  for await (const text of stream as AsyncIterable<string>) {
    const [first = '', ...others] = text.split(LINE_END);
    line = continued(line, first);
    for (const next of others) {
      yield line;
      line = continued('', next);
    }
  }
  if (line !== '') yield line;
}

/**
 * Takes time in proportion to what is added, however small the pieces are in which a line comes.
 */
function continued(line: string, text: string): string {
  return line + text.slice(0, LONGEST_LINE_CHARACTERS - line.length);
}
