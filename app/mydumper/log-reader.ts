/** The meaning of a line in mydumper's log (`-v 3`). */
export type MydumperEvent =
  | {
      readonly kind: 'tableStarted';
      readonly thread: string;
      readonly database: string;
      readonly table: string;
    }
  | {
      readonly kind: 'tableFinished';
      readonly thread: string;
      readonly database: string;
      readonly table: string;
    }
  /** 0.10 found no row in the table and writes no data file. */
  | { readonly kind: 'tableEmpty'; readonly name: string }
  /** 0.10 cannot read the table and continues without it. */
  | { readonly kind: 'tableLeftOut'; readonly name: string }
  /**
   * 0.10 started before all databases were listed, which happens by chance. Tables will be missing.
   */
  | { readonly kind: 'startedTooSoon'; readonly message: string }
  /** A signal made 1.x end its dump before it is complete. */
  | { readonly kind: 'endedEarly'; readonly message: string }
  | { readonly kind: 'locksReleased' }
  | { readonly kind: 'dumpFinished' }
  | { readonly kind: 'warning' | 'error' | 'info'; readonly message: string };

type Level = 'info' | 'warning' | 'error';

/**
 * GLib prints `** Message: 08:29:00.123: text` and `** (mydumper:7): CRITICAL **: 08:29:00.123:
 * text`. With a log file, and in later versions on the terminal, it prints `2026-11-24 08:29:00
 * [ERROR] - text`.
 */
const SHAPES: readonly (readonly [RegExp, (match: RegExpExecArray) => readonly [Level, string]])[] =
  [
    [/^\*\* Message: (?:[\d:.]+: )?(.*)$/s, (match) => ['info', match[1] ?? '']],
    [
      /^(?:\*\* |\()(?:\([^)]*\): |[^)]*\): )?(?:[\w-]*-)?(\w+) \*\*: (?:[\d:.]+: )?(.*)$/s,
      (match) => [levelOf(match[1] ?? ''), match[2] ?? ''],
    ],
    [
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[(\w+)\] - (.*)$/s,
      (match) => [levelOf(match[1] ?? ''), match[2] ?? ''],
    ],
  ];

function levelOf(word: string): Level {
  if (/^(CRITICAL|ERROR)$/i.test(word)) return 'error';
  return /^WARNING$/i.test(word) ? 'warning' : 'info';
}

/**
 * Splits a line into level and text. A line of unknown shape (an error of the loader, a usage text)
 * counts as information.
 */
export function parseLine(line: string): { level: Level; text: string } {
  for (const [shape, read] of SHAPES) {
    const match = shape.exec(line);
    if (match !== null) {
      const [level, text] = read(match);
      return { level, text: text.trim() };
    }
  }
  return { level: 'info', text: line.trim() };
}

/** Names have 64 characters at the most, of which some count twice here. */
const NAMES = '`(.{1,128}?)`\\s{0,2}\\.\\s{0,2}`(.{1,128}?)`';
/**
 * 0.10 prints it at the start of a table. 1.x prints it for each chunk, with the progress in the
 * table.
 */
const TABLE = [
  new RegExp(`^Thread (\\d+):? dumping data (?:for|from) ${NAMES}(?: |$)`, 's'),
  new RegExp(`^Thread (\\d+): ${NAMES} \\[ \\d+% \\]`, 's'),
] as const;
/** Any other line of a thread means that it has left its table. */
const THREAD = /^Thread (\d+):? /;
const DATABASE_LISTED = /^Thread \d+:? dumping db information for /;
const TABLE_WORK = /^Thread \d+:? dumping (?:data|schema|view|triggers|SP and VIEWs) for /;
/**
 * mydumper leaves such a table out, with a warning and exit code 0. It also checks tables that it
 * does not dump.
 */
const LEFT_OUT = /^Broken table detected, please review: (.+)$/s;
/** After a signal 1.x writes an incomplete dump with exit code 0. The misspelling is its own. */
const ENDED_EARLY =
  /^Shutting down gracefully$|^Thread \d+: (?:Job|Process) has been cac?n?celled|Ctrl\+c detected/;
/** 1.x prints this warning for each dump of transactional tables. */
const HARMLESS = /^Using --trx-tables options, binlog coordinates will not be accurate/;

/**
 * Texts shared by the lines that report released locks. Preflight refuses names that hold one of
 * them.
 */
export const LOCKS_RELEASED_TEXTS = [', unlocking tables', 'Global locks released'] as const;
const LOCKS_RELEASED =
  /(?:Non-InnoDB dump complete|Transactions started), unlocking tables|^Global locks released$/;
/** With --trx-tables=0 each thread of 1.x also locks the tables without transactions. */
const THREAD_LOCKS = /^Thread (\d+): Locking non-transactional tables/;
const THREAD_UNLOCKED = /^Thread (\d+): Non-Transactional tables are done/;

/**
 * Reads the log line by line and remembers the current table of each thread. Neither generation
 * logs the end of a table: it ends when its thread starts something else.
 */
export function createLogReader(): (line: string) => MydumperEvent[] {
  const current = new Map<string, { database: string; table: string }>();
  const lockingThreads = new Set<string>();
  let globalLocksReleased = false;
  let released = false;
  let tableWorkBegan = false;

  const tableEvents = (text: string): MydumperEvent[] => {
    const thread = THREAD.exec(text)?.[1];
    if (thread === undefined) return [];
    const [, , database, table] =
      TABLE.map((shape) => shape.exec(text)).find((found) => found !== null) ?? [];
    const before = current.get(thread);
    if (before !== undefined && before.database === database && before.table === table) return [];
    const events: MydumperEvent[] = [];
    if (before !== undefined) events.push({ kind: 'tableFinished', thread, ...before });
    current.delete(thread);
    if (database === undefined || table === undefined) return events;
    current.set(thread, { database, table });
    return [...events, { kind: 'tableStarted', thread, database, table }];
  };

  const lockEvents = (text: string): MydumperEvent[] => {
    const locking = THREAD_LOCKS.exec(text)?.[1];
    if (locking !== undefined) lockingThreads.add(locking);
    lockingThreads.delete(THREAD_UNLOCKED.exec(text)?.[1] ?? '');
    globalLocksReleased ||= LOCKS_RELEASED.test(text);
    if (released || !globalLocksReleased || lockingThreads.size > 0) return [];
    released = true;
    return [{ kind: 'locksReleased' }];
  };

  return (line) => {
    const { level, text } = parseLine(line);
    if (text === '') return [];
    if (ENDED_EARLY.test(text)) return [{ kind: 'endedEarly', message: text }];
    if (level !== 'info' && !HARMLESS.test(text)) {
      const leftOut = LEFT_OUT.exec(text)?.[1];
      return [
        leftOut === undefined
          ? { kind: level, message: text }
          : { kind: 'tableLeftOut', name: leftOut },
      ];
    }
    const events = tableEvents(text);
    if (DATABASE_LISTED.test(text) && tableWorkBegan)
      events.push({ kind: 'startedTooSoon', message: text });
    tableWorkBegan ||= TABLE_WORK.test(text);
    const empty = /^Empty table (.+)$/s.exec(text)?.[1];
    if (empty !== undefined) events.push({ kind: 'tableEmpty', name: empty });
    events.push(...lockEvents(text));
    if (text.startsWith('Finished dump at')) events.push({ kind: 'dumpFinished' });
    events.push({ kind: 'info', message: text });
    return events;
  };
}
