import { MARK_NOT_SEEN, ONE_SERVER } from '../database/run-mark.ts';
import { Failure } from '../errors.ts';
import type { Events } from '../events.ts';
import { ignoredElsewhere, looksLikeError } from '../mydumper/error-lines.ts';
import type { MydumperEvent } from '../mydumper/log-reader.ts';
import type { RunState } from './run-state.ts';

/**
 * The server ended a statement of mydumper because of a deadlock with other sessions
 * (ER_LOCK_DEADLOCK).
 */
const DEADLOCK = /\bERROR 1213\b|Deadlock found when trying to get lock/;
/** GLib's words for a mistake in mydumper itself. */
const ASSERTION = /\bassertion '.*' failed$/;
/** Of what mydumper prints, kept for when it ends without naming an error. */
const LAST_LINES = 5;

/** Told in place of the server's words about a setting. */
const OTHER_SERVER = `one of its connections reached ${MARK_NOT_SEEN}: HOST leads to several servers; ${ONE_SERVER}`;

export type DumpLog = {
  readonly onEvent: (event: MydumperEvent) => void;
  /** What mydumper called an error, in order. */
  readonly errors: readonly string[];
  /**
   * Of its warnings the last one that tells of an error: 1.x goes on after some, and exits with 1.
   */
  readonly lastComplaint: () => string | undefined;
  readonly lastLines: readonly string[];
  /** `database.table` of those it found without rows. */
  readonly emptyTables: ReadonlySet<string>;
  readonly seconds: () => number;
  /** How long it held locks, once its log has told of their release. */
  readonly lockedSeconds: () => number | undefined;
};

/**
 * Listens to mydumper's log. The first error ends the run: such a dump cannot become good, and it
 * holds a snapshot.
 */
export function createDumpLog(
  run: RunState,
  events: Events,
  databases: readonly string[],
  ignoredErrors: readonly number[],
  onLocksReleased: () => void,
): DumpLog {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  const errors: string[] = [];
  const lastLines: string[] = [];
  let lastComplaint: string | undefined;
  const emptyTables = new Set<string>();
  const tables = createTablesAtWork();
  let lockedSeconds: number | undefined;

  const fail = (said: string) => {
    // 1.x trips over some errors of the server that it has just warned of.
    const message = ASSERTION.test(said) ? (lastComplaint ?? said) : said;
    errors.push(message);
    events.emit('mydumper', { level: 'error', message });
    const again = DEADLOCK.test(message) ? { worthAnotherRun: true, waitSeconds: 60 } : {};
    run.fail(new Failure('dump', `mydumper reported an error: ${message}`, again));
  };

  const onEvent = (event: MydumperEvent) => {
    switch (event.kind) {
      case 'locksReleased':
        lockedSeconds = seconds();
        events.emit('locksReleased', { heldSeconds: lockedSeconds });
        onLocksReleased();
        break;
      case 'error':
        fail(event.message.includes(MARK_NOT_SEEN) ? OTHER_SERVER : event.message);
        break;
      case 'endedEarly':
        fail(`a signal from outside made it end before the dump was complete: ${event.message}`);
        break;
      case 'tableLeftOut':
        if (databases.some((database) => event.name.startsWith(`${database}.`)))
          fail(`table ${JSON.stringify(event.name)} cannot be read`);
        break;
      case 'startedTooSoon':
        run.fail(
          new Failure(
            'dump',
            'mydumper 0.10 began before it had listed all databases and would leave tables out',
            {
              worthAnotherRun: true,
            },
          ),
        );
        break;
      case 'warning':
      case 'info':
        if (ignoredElsewhere(event.message, ignoredErrors)) {
          fail(event.message);
          break;
        }
        if (event.kind === 'warning' && looksLikeError(event.message))
          lastComplaint = event.message;
        lastLines.push(event.message);
        if (lastLines.length > LAST_LINES) lastLines.shift();
        events.emit('mydumper', { level: event.kind, message: event.message });
        break;
      case 'tableStarted':
      case 'tableFinished':
        events.emit('dumping', { tables: tables(event) });
        events.emit('mydumper', {
          level: 'debug',
          message: `${event.kind} ${event.database}.${event.table}`,
        });
        break;
      case 'tableEmpty':
        emptyTables.add(event.name);
        break;
      case 'dumpFinished':
        break;
    }
  };
  return {
    onEvent,
    errors,
    lastComplaint: () => lastComplaint,
    lastLines,
    emptyTables,
    seconds,
    lockedSeconds: () => lockedSeconds,
  };
}

/**
 * The tables that mydumper's threads are at, by name. Several threads of 1.x may be at one table.
 */
function createTablesAtWork(): (
  event: Extract<MydumperEvent, { kind: 'tableStarted' | 'tableFinished' }>,
) => readonly string[] {
  const byThread = new Map<string, string>();
  return ({ kind, thread, database, table }) => {
    if (kind === 'tableStarted') byThread.set(thread, `${database}.${table}`);
    else byThread.delete(thread);
    return [...new Set(byThread.values())];
  };
}

/**
 * What mydumper said of its own error, added to a failure that somebody else noticed first: on a
 * full disk it removes the file it could not write, and that the file is gone may be seen before
 * its words are read.
 */
export function inItsOwnWords(cause: Failure, errors: readonly string[]): Failure {
  const [first] = errors;
  if (cause.kind !== 'dump' || first === undefined || cause.message.includes(first)) return cause;
  const { worthAnotherRun, waitSeconds } = cause;
  const message = `${cause.message}; mydumper reported an error: ${first}`;
  return new Failure('dump', message, { cause, worthAnotherRun, waitSeconds });
}
