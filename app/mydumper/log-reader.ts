/** What a line of mydumper's log (`-v 3`) means to us. */
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
  /** 0.10 found no row in it and writes no data file. */
  | { readonly kind: 'tableEmpty'; readonly name: string }
  /** 0.10 cannot read it and goes on without it. */
  | { readonly kind: 'tableLeftOut'; readonly name: string }
  /** 0.10 went on before all databases were listed, which it does when it is unlucky: tables will be missing. */
  | { readonly kind: 'startedTooSoon'; readonly message: string }
  | { readonly kind: 'locksReleased' }
  | { readonly kind: 'dumpFinished' }
  | { readonly kind: 'warning' | 'error' | 'info'; readonly message: string };

type Level = 'info' | 'warning' | 'error';

/**
 * GLib prints `** Message: 08:29:00.123: text` and `** (mydumper:7): CRITICAL **: 08:29:00.123: text`; with a log file, and in
 * later versions on the terminal, it is `2026-11-24 08:29:00 [ERROR] - text`.
 */
const SHAPES: readonly (readonly [RegExp, (match: RegExpExecArray) => readonly [Level, string]])[] = [
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

/** Splits a line into level and text; a line of no known shape (a loader's error, a usage text) is information. */
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
const TABLE = /^Thread (\d+):? dumping data (?:for|from) `(.{1,128}?)`\s{0,2}\.\s{0,2}`(.{1,128}?)`(?: |$)/s;
const THREAD_MOVES_ON = /^Thread (\d+):? (?:dumping|shutting down)/;
const DATABASE_LISTED = /^Thread \d+:? dumping db information for /;
const TABLE_WORK = /^Thread \d+:? dumping (?:data|schema|view|triggers|SP and VIEWs) for /;
/** It leaves such a table out, with a warning and exit code 0. It looks at tables of databases that it was not to dump too. */
const LEFT_OUT = /^Broken table detected, please review: (.+)$/s;
/** What both ways to say that locks are released have in common. Names that hold it are refused. */
export const LOCKS_RELEASED_TEXT = ', unlocking tables';
const LOCKS_RELEASED = /(?:Non-InnoDB dump complete|Transactions started), unlocking tables/;

/**
 * Reads the log line by line. It remembers which table each thread is at, since 0.10 says when a table starts and
 * not when it ends: a table has ended when its thread goes on to something else.
 */
export function createLogReader(): (line: string) => MydumperEvent[] {
  const current = new Map<string, { database: string; table: string }>();
  let tableWorkBegan = false;
  return (line) => {
    const { level, text } = parseLine(line);
    if (text === '') return [];
    if (level !== 'info') {
      const leftOut = LEFT_OUT.exec(text)?.[1];
      return [
        leftOut === undefined ? { kind: level, message: text } : { kind: 'tableLeftOut', name: leftOut },
      ];
    }
    const events: MydumperEvent[] = [];

    const thread = THREAD_MOVES_ON.exec(text)?.[1];
    const finished = thread === undefined ? undefined : current.get(thread);
    if (thread !== undefined && finished !== undefined) {
      events.push({ kind: 'tableFinished', thread, ...finished });
      current.delete(thread);
    }
    const [, starting, database, table] = TABLE.exec(text) ?? [];
    if (starting !== undefined && database !== undefined && table !== undefined) {
      current.set(starting, { database, table });
      events.push({ kind: 'tableStarted', thread: starting, database, table });
    }
    if (DATABASE_LISTED.test(text) && tableWorkBegan) events.push({ kind: 'startedTooSoon', message: text });
    tableWorkBegan ||= TABLE_WORK.test(text);
    const empty = /^Empty table (.+)$/s.exec(text)?.[1];
    if (empty !== undefined) events.push({ kind: 'tableEmpty', name: empty });
    if (LOCKS_RELEASED.test(text)) events.push({ kind: 'locksReleased' });
    if (text.startsWith('Finished dump at')) events.push({ kind: 'dumpFinished' });
    events.push({ kind: 'info', message: text });
    return events;
  };
}
