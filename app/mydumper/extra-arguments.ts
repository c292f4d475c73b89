/** Flags that this program sets or whose effect would break what it promises; the value says what to use instead. */
const OWNED: readonly (readonly [long: string, short: string | undefined, why: string])[] = [
  ['outputdir', 'o', 'set OUTPUTDIR'],
  ['chunk-filesize', 'F', 'set CHUNK_FILE_SIZE_MB'],
  ['threads', 't', 'set THREADS'],
  ['statement-size', 's', 'it follows from the staging budget'],
  ['database', 'B', 'set DATABASES'],
  ['host', 'h', 'set HOST'],
  ['port', 'P', 'set PORT'],
  ['socket', 'S', 'set SOCKET'],
  ['protocol', undefined, 'set HOST or SOCKET'],
  ['user', 'u', 'set USERNAME'],
  ['password', 'p', 'set PASSWORD'],
  ['ask-password', 'a', 'set PASSWORD'],
  ['defaults-file', undefined, 'an option file is written for each run'],
  ['defaults-extra-file', undefined, 'an option file is written for each run'],
  ['ssl', undefined, 'set TLS_MODE'],
  ['ssl-mode', undefined, 'set TLS_MODE'],
  ['ca', undefined, 'set TLS_CA'],
  ['compress', 'c', 'set COMPRESS'],
  ['verbose', 'v', 'its log is read at a fixed level'],
  ['debug', undefined, 'its log is read at a fixed level'],
  ['logfile', 'L', 'its log is read from its output'],
  ['machine-log-json', undefined, 'its log is read from its output'],
  ['daemon', 'D', 'one run makes one backup; schedule the task instead'],
  ['snapshot-interval', 'I', 'one run makes one backup; schedule the task instead'],
  ['snapshot-count', 'X', 'one run makes one backup; schedule the task instead'],
  ['no-locks', 'k', 'set LOCK_MODE'],
  ['less-locking', undefined, 'set LOCK_MODE'],
  ['lock-all-tables', undefined, 'set LOCK_MODE'],
  ['trx-consistency-only', undefined, 'set LOCK_MODE'],
  ['trx-tables', undefined, 'set LOCK_MODE'],
  ['sync-thread-lock-mode', undefined, 'set LOCK_MODE'],
  ['kill-long-queries', 'K', "other people's queries are not killed"],
  ['stream', undefined, 'files are shipped from the staging directory'],
  ['exec', undefined, 'files are shipped from the staging directory'],
  ['exec-threads', undefined, 'files are shipped from the staging directory'],
  ['exec-per-thread', undefined, 'files are shipped from the staging directory'],
  ['exec-per-thread-extension', undefined, 'files are shipped from the staging directory'],
  ['disk-limits', undefined, 'set STAGING_LIMIT_MB'],
  ['clear', undefined, 'the staging directory is managed by this program'],
  ['dirty', undefined, 'the staging directory is managed by this program'],
  ['merge', undefined, 'the staging directory is managed by this program'],
  ['masquerade-filename', undefined, 'the manifest names tables by their files'],
  ['help', '?', 'run mydumper itself'],
  ['version', 'V', 'run mydumper itself'],
];

const BY_LONG = new Map(OWNED.map(([long, , why]) => [long, why]));
const BY_SHORT = new Map(
  OWNED.flatMap(([, short, why]) => (short === undefined ? [] : [[short, why] as const])),
);

/** mydumper's short options that take a value in the next word (both generations), so that the value is not read as a flag. */
const SHORT_WITH_VALUE = new Set([...'TOrxilUzw']);
const LONG_WITH_VALUE = new Set([
  'tables-list',
  'omit-from-file',
  'rows',
  'rows-hard',
  'regex',
  'ignore-engines',
  'long-query-guard',
  'long-query-retries',
  'long-query-retry-interval',
  'updated-since',
  'tidb-snapshot',
  'where',
  'partition-regex',
  'key',
  'cert',
  'capath',
  'cipher',
  'tls-version',
  'set-names',
  'max-threads-per-table',
  'max-rows',
  'char-deep',
  'char-chunk',
  'num-sequences',
  'format',
  'fields-terminated-by',
  'fields-enclosed-by',
  'fields-escaped-by',
  'lines-starting-by',
  'lines-terminated-by',
  'statement-terminated-by',
  'ignore-errors',
  'throttle',
  'source-data',
  'pmm-path',
  'pmm-resolution',
  'table-engine-for-view-dependency',
  'optimize-keys-engines',
]);

/** Whole names, which are not a group and an option of it. */
const NO_ALIASES: ReadonlySet<string> = new Set([...LONG_WITH_VALUE, 'compress-protocol']);

/**
 * Why a long option is refused. GLib also takes `--<beginning of a group's name>-<option>`, and `--help-<group>`.
 * https://docs.gtk.org/glib/commandline.html
 */
function whyNot(name: string): string | undefined {
  const why = BY_LONG.get(name);
  if (why !== undefined || NO_ALIASES.has(name)) return why;
  return name.startsWith('help-') ? BY_LONG.get('help') : BY_LONG.get(name.slice(name.indexOf('-') + 1));
}

/** The word after an option that takes a value, unless it looks like an option: some take a value only where it does not. */
function isValue(word: string | undefined): boolean {
  return word !== undefined && !word.startsWith('-');
}

/**
 * Why words of MYDUMPER_ARGS are refused, one message each; empty when all may pass.
 * Clustered short flags (`-mc`) are looked at letter by letter. A stray positional word is refused too: mydumper 1.x
 * would take it as a database and stream the dump to its output.
 */
export function refusedMydumperFlags(words: readonly string[]): string[] {
  const messages: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '--') messages.push('refuses --: no more options would be read after it');
    else if (word.startsWith('--')) {
      const name = word.slice(2).split('=', 1)[0] ?? '';
      const why = whyNot(name);
      if (why !== undefined) messages.push(`refuses --${name}: ${why}`);
      if (LONG_WITH_VALUE.has(name) && !word.includes('=') && isValue(words[index + 1])) index += 1;
    } else if (word.startsWith('-') && word.length > 1) {
      const letters = [...word.slice(1)];
      for (const letter of letters) {
        const why = BY_SHORT.get(letter);
        if (why !== undefined) messages.push(`refuses -${letter}: ${why}`);
      }
      if (SHORT_WITH_VALUE.has(letters.at(-1) ?? '') && isValue(words[index + 1])) index += 1;
    } else {
      messages.push(`has a stray word ${JSON.stringify(word)}: write --option=value`);
    }
  }
  return messages;
}

const NARROWING_LONG =
  /^--(?:tables-list|omit-from-file|regex|ignore-engines|updated-since|no-schemas|no-data|no-views|success-on-1146)(?:=|$)/;
const NARROWING_SHORT = /^-[A-Za-z]*[TOxiUmdW]/;

/** Whether further flags make mydumper leave out objects that are there. */
export function narrowsTheDump(words: readonly string[]): boolean {
  return words.some((word) => NARROWING_LONG.test(word) || NARROWING_SHORT.test(word));
}

/** Splits as a POSIX shell would, without expansions. @returns undefined when a quote is not closed. */
export function splitShellWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else if (quote === '"' && character === '\\' && /["\\$`]/.test(text[index + 1] ?? '')) {
        index += 1;
        word += text[index] ?? '';
      } else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === '\\' && index + 1 < text.length) {
      index += 1;
      word = (word ?? '') + (text[index] ?? '');
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== undefined) return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
