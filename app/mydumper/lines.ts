import type { Readable } from 'node:stream';

/**
 * The reader drops the rest of a longer line, so that a line without an end does not fill the
 * memory.
 */
const LONGEST_LINE_CHARACTERS = 64 * 1024;
/**
 * Line ends as terminals and Unicode know them. The reader identifies a name by its first line,
 * regardless of what ends that line.
 */
const LINE_END = /\r\n|[\r\n\u2028\u2029]/;

/**
 * Lines of a stream of text, without their ends. Bytes that are not UTF-8 are replaced. An empty
 * line may appear twice.
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

/** Takes time in proportion to the added text, even when a line arrives in small pieces. */
function continued(line: string, text: string): string {
  return line + text.slice(0, LONGEST_LINE_CHARACTERS - line.length);
}
