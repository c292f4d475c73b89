import { MARK_NOT_SEEN, ONE_SERVER } from '../database/run-mark.ts';
import { Failure } from '../errors.ts';
import type { Events } from '../events.ts';
import { ignoredElsewhere, looksLikeError } from '../mydumper/error-lines.ts';
import type { MydumperEvent } from '../mydumper/log-reader.ts';
import type { RunState } from './run-state.ts';

/**
 * A deadlock with other sessions made the server end a statement of mydumper (ER_LOCK_DEADLOCK).
 */
const DEADLOCK = /\bERROR 1213\b|Deadlock found when trying to get lock/;
/** GLib's message for a defect in mydumper itself. */
const ASSERTION = /\bassertion '.*' failed$/;
/** The number of lines of mydumper to keep, for an end without an error message. */
const LAST_LINES = 5;

/** Reported instead of the server's message about a setting. */
const OTHER_SERVER =
  `one of its connections reached ${MARK_NOT_SEEN}: ` +
  `HOST leads to several servers; ${ONE_SERVER}`;

export type DumpLog = {
  readonly onEvent: (event: MydumperEvent) => void;
  /** The errors that mydumper logged, in order. */
  readonly errors: readonly string[];
  /** The last warning that reports an error. 1.x continues after some errors, and exits with 1. */
  readonly lastComplaint: () => string | undefined;
  readonly lastLines: readonly string[];
  /** `database.table` of each table that mydumper found without rows. */
  readonly emptyTables: ReadonlySet<string>;
  readonly seconds: () => number;
  /** How long mydumper held locks, once its log has reported their release. */
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
    // An assertion of 1.x fails after some server errors that it has just logged as a warning.
    const message = ASSERTION.test(said) ? (lastComplaint ?? said) : said;
    errors.push(message);
    events.emit('mydumper', { level: 'error', message });
    const again = DEADLOCK.test(message) ? { retryable: true, retryAfterSeconds: 60 } : {};
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
              retryable: true,
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
 * The tables that mydumper's threads read now, by name. Several threads of 1.x may read one table.
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
 * Adds the error of mydumper to a failure that another component noticed first. On a full disk
 * mydumper removes the file that it could not write. The watcher may see the missing file before
 * the log is read.
 */
export function withMydumperError(cause: Failure, errors: readonly string[]): Failure {
  const [first] = errors;
  if (cause.kind !== 'dump' || first === undefined || cause.message.includes(first)) return cause;
  const { retryable, retryAfterSeconds } = cause;
  const message = `${cause.message}; mydumper reported an error: ${first}`;
  return new Failure('dump', message, { cause, retryable, retryAfterSeconds });
}
