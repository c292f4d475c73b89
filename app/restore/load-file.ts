import { crc32 } from 'node:zlib';
import type { Database } from '../database/connection.ts';
import { Failure } from '../errors.ts';
import { ContentFault } from '../manifest/content.ts';
import { type ChunkMemory, createChunkMemory } from './chunk-memory.ts';
import { releaseFileLock, takeFileLock } from './file-lock.ts';
import { createInsertReader, ForeignStatement, type Rows, RowTooLarge } from './insert-reader.ts';
import type { LoadJob } from './load-protocol.ts';
import { type LoadSession, rowSettings } from './load-session.ts';
import { type Mark, readMark, writeMark } from './marks.ts';
import { FREE_BYTES, type MemoryTurn } from './memory-turn.ts';
import { quoteName } from './target.ts';
import { faultAmong } from './warnings.ts';

/** Rows of the file may not stay: they are from content that the manifest does not describe. */
export class Spoiled extends Failure {
  constructor(message: string, cause?: unknown) {
    super('restore', message, { cause });
  }
}

export type FileOptions = {
  /** The restore, as its marks name it. */
  readonly run: string;
  readonly transactionBytes: number;
  readonly turn: MemoryTurn;
};

/** How far an attempt at a file came, also when it fails. */
export type Attempt = {
  /** Statements are cut at their rows to about this size. */
  readonly partBytes: number;
  /** Rows were sent. */
  begun: boolean;
  committedBytes: number;
};

/**
 * Loads what is missing of a file over one connection: it reads the whole file, sends the rows
 * after the mark, commits them with the mark, and compares the content with the manifest last.
 * @throws Spoiled when the content is not trusted; otherwise as the server or the store says.
 */
export async function loadFile(
  options: FileOptions,
  session: LoadSession,
  job: LoadJob,
  content: AsyncIterable<Buffer>,
  attempt: Attempt,
  onPosition: (bytes: number) => void,
): Promise<void> {
  const { turn } = options;
  const { database, packetBytes } = session;
  const first = await begin(options, session, job);
  attempt.committedBytes = first.loadedBytes;
  const reader = createInsertReader({
    table: job.table,
    partBytes: Math.min(attempt.partBytes, packetBytes),
    largestBytes: packetBytes,
    skipTo: first.loadedBytes,
    columns: job.columns,
    textColumns: new Set(job.textColumns),
  });
  const memory = createChunkMemory();
  const sender = createSender(options, session, job, first, { attempt, memory });
  let position = 0;
  try {
    for await (const chunk of content) {
      requireSameBytes(first, position, chunk, sender.read(chunk));
      position += chunk.byteLength;
      memory.add(chunk, position);
      for (const statement of reader.read(chunk)) await sender.take(statement);
      if (reader.pendingBytes() > FREE_BYTES) await turn.take();
      onPosition(position);
    }
    for (const statement of reader.end()) await sender.take(statement);
    await sender.commit(true);
    await releaseFileLock(database, job.id);
  } catch (error) {
    await sender.settled();
    throw explained(error, job, packetBytes);
  }
}

/** @returns the file's mark; nobody else loads the file from now on. */
async function begin(
  { run }: FileOptions,
  { database }: LoadSession,
  { id, file, transactional }: LoadJob,
): Promise<Mark> {
  await takeFileLock(database, id);
  const mark = (await readMark(database, id)) ?? {
    id,
    file: file.name,
    loadedBytes: 0,
    rows: 0,
    readBytes: 0,
    readCrc32: 0,
    judged: false,
  };
  // Rows without transactions are there before their mark says how many.
  if (!transactional) {
    await writeMark(database, run, mark);
    await database.query('COMMIT');
  }
  return mark;
}

/**
 * Compares the bytes up to the mark with those that an earlier attempt read. `before` is the CRC-32
 * of the bytes before the chunk.
 */
function requireSameBytes(mark: Mark, position: number, chunk: Buffer, before: number): void {
  const left = mark.readBytes - position;
  if (left <= 0 || left > chunk.byteLength) return;
  if (crc32(chunk.subarray(0, left), before) !== mark.readCrc32)
    throw new ContentFault('its content is not the one of which rows were loaded before');
}

type Sender = {
  /** Counts a chunk as read. @returns the CRC-32 of the bytes before it. */
  readonly read: (chunk: Buffer) => number;
  readonly take: (
    statement: ReturnType<ReturnType<typeof createInsertReader>['end']>[number],
  ) => Promise<void>;
  /** `judged`: the content is that of the manifest. */
  readonly commit: (judged: boolean) => Promise<void>;
  /** Resolves when nothing is being sent. */
  readonly settled: () => Promise<void>;
};

/** Sends a statement while the next one is being read. */
function createSender(
  { run, transactionBytes, turn }: FileOptions,
  { database, set }: LoadSession,
  { file, database: db, transactional, columns }: LoadJob,
  first: Mark,
  { attempt, memory }: { readonly attempt: Attempt; readonly memory: ChunkMemory },
): Sender {
  const { query } = database;
  const settings = new Map<string, string>();
  let { loadedBytes, rows } = first;
  let readBytes = 0;
  let readCrc32 = 0;
  let uncommittedBytes = 0;
  let sending: Promise<void> = Promise.resolve();

  const commit = async (judged: boolean) => {
    await sending;
    if (!transactional && !judged) return;
    const { id } = first;
    await writeMark(database, run, {
      id,
      file: file.name,
      loadedBytes,
      rows,
      readBytes: Math.max(readBytes, first.readBytes),
      readCrc32: readBytes >= first.readBytes ? readCrc32 : first.readCrc32,
      judged,
    });
    await query('COMMIT');
    uncommittedBytes = 0;
    attempt.committedBytes = loadedBytes;
  };
  const send = async (statement: Rows) => {
    const { warnings } = await database.send(statement.slices);
    if (warnings > 0) await requireHarmless(database, warnings, statement, file.key, columns);
    memory.usedUpTo(statement.end);
    turn.giveBack();
  };
  const give = async (statement: Rows) => {
    await sending;
    await set([
      `SET SESSION autocommit = ${transactional ? 0 : 1}`,
      // mysql2 writes names in the character set of the session.
      'SET NAMES utf8mb4',
      `USE ${quoteName(db)}`,
      ...rowSettings(settings),
    ]);
    if (uncommittedBytes + statement.bytes > transactionBytes && uncommittedBytes > 0)
      await commit(false);
    attempt.begun = true;
    sending = send(statement);
    // Awaited before the next statement.
    sending.catch(() => {});
    uncommittedBytes += statement.bytes;
    loadedBytes = Math.max(loadedBytes, statement.end);
    rows += statement.rows;
  };

  return {
    read: (chunk) => {
      const before = readCrc32;
      readCrc32 = crc32(chunk, readCrc32);
      readBytes += chunk.byteLength;
      return before;
    },
    take: async (statement) => {
      if (statement.kind === 'rows') return give(statement);
      await sending;
      for (const [name, value] of statement.assignments) settings.set(name, value);
    },
    commit,
    settled: () => sending.catch(() => {}),
  };
}

function explained(error: unknown, { file, table }: LoadJob, packetBytes: number): unknown {
  if (error instanceof ContentFault || error instanceof ForeignStatement)
    return new Spoiled(`${file.key}: ${error.message}`, error);
  if (!(error instanceof RowTooLarge)) return error;
  return new Failure(
    'restore',
    `${file.key}: a row of table ${JSON.stringify(table)} takes ${error.bytes} bytes or more, ` +
      `but the server takes statements of at most ${packetBytes} bytes (max_allowed_packet); ` +
      'raise it (SET GLOBAL max_allowed_packet, at most 1073741824), ' +
      'then the same command resumes the restore',
    { cause: error },
  );
}

async function requireHarmless(
  { query }: Database,
  count: number,
  statement: Rows,
  key: string,
  columns: readonly string[],
): Promise<void> {
  const warnings = await query('SHOW WARNINGS');
  const fault = faultAmong(warnings, count, { ...statement, columns });
  if (fault === undefined) return;
  throw new Failure('restore', `${key}: the server did not take a row as it was dumped: ${fault}`);
}
