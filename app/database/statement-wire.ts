import type { Duplex } from 'node:stream';
import type { Connection } from 'mysql2/promise';

export type Answer = {
  readonly affectedRows: number;
  /** The server counts up to 65535. */
  readonly warnings: number;
};

/** A packet of this length is followed by another one, which may be empty. */
const LONGEST_PACKET_BYTES = 0xff_ff_ff;
const COM_QUERY = 3;
/** Capability flag: two counts come before the statement. */
const CLIENT_QUERY_ATTRIBUTES = 1 << 27;
const NO_ATTRIBUTES = [0, 1] as const;
const OK = 0;
const LOCAL_INFILE = 0xfb;
/** Status flag. */
const SERVER_MORE_RESULTS_EXISTS = 8;

/** A packet from the server. mysql2 reuses the object for the next packet. */
type Packet = {
  readonly isError: () => boolean;
  readonly asError: (encoding: string) => Error;
  readonly readInt8: () => number;
  readonly readInt16: () => number;
  readonly readLengthCodedNumber: () => number | string | null;
};

/** What mysql2 needs of a command in its queue. */
type Command = {
  /** Called without a packet when it is the command's turn. Returns whether the command ended. */
  readonly execute: (packet?: Packet) => boolean;
  readonly onResult: (error: Error) => void;
};

/** What this file uses of mysql2's own connection. mysql2 does not document these parts. */
type Core = {
  readonly config: { readonly clientFlags: number; readonly compress: unknown };
  readonly serverCapabilityFlags: number;
  readonly clientEncoding: string;
  /** With TLS another stream than the socket that mysql2 was given. */
  readonly stream: Duplex;
  readonly sequenceId: number;
  readonly _resetSequenceId: () => void;
  readonly _bumpSequenceId: (packets: number) => void;
  readonly addCommand: (command: Command) => void;
  readonly handlePacket: () => void;
  close: () => void;
};

const TYPES_OF_CORE: Readonly<Record<keyof Core, string>> = {
  config: 'object',
  serverCapabilityFlags: 'number',
  clientEncoding: 'string',
  stream: 'object',
  sequenceId: 'number',
  _resetSequenceId: 'function',
  _bumpSequenceId: 'function',
  addCommand: 'function',
  handlePacket: 'function',
  close: 'function',
};

type Watched = {
  readonly core: Core;
  /** Rejects the statements that are queued or sent. */
  readonly pending: Set<(error: Error) => void>;
};

const watched = new WeakMap<object, Watched>();

/**
 * Sends one statement as bytes and waits for the server's answer. The slices must not change until
 * then. Statements and mysql2's own queries on one connection run in the order of their calls.
 *
 * mysql2 does not notice a SET NAMES that is sent this way: its own queries keep their encoding.
 *
 * @throws the server's error with mysql2's `code`, `errno` and `sqlState`, or the error of the lost
 *   connection, which has a `code` too. For a statement above max_allowed_packet it is either one:
 *   the server closes the connection. Other answers than OK, such as rows, end the connection with
 *   the code `UNEXPECTED_ANSWER`.
 */
export async function sendStatement(
  connection: Connection,
  slices: readonly Uint8Array[],
): Promise<Answer> {
  const { core, pending } = watch(connection);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let started = false;
  let sent = false;
  let settled = false;
  let answer: Answer | Error | undefined;
  const settle = (result: Answer | Error) => {
    settled = true;
    pending.delete(onLost);
    if (result instanceof Error) reject(result);
    else resolve(result);
  };
  // An answer that came first is the reason for the loss.
  const onLost = (error: Error) => settle(answer ?? error);
  const onSent = () => {
    sent = true;
    // An error came early. Without a packet, mysql2 only calls execute().
    if (answer !== undefined && !settled) core.handlePacket();
  };
  pending.add(onLost);
  core.addCommand({
    execute: (packet) => {
      if (!started) {
        started = true;
        core._resetSequenceId();
        writeAll(core.stream, packetsOf(core, slices), onSent);
        return false;
      }
      // mysql2 ends the connection with the error that this throws, and passes it to onResult().
      if (packet !== undefined) answer ??= answerOf(packet, core);
      // While the server still reads the statement, the slices are in use.
      if (answer === undefined || !sent) return false;
      settle(answer);
      return true;
    },
    onResult: (error) => onLost('code' in error ? error : lost(error)),
  });
  return await promise;
}

/**
 * Finds mysql2's own connection. mysql2 forgets its commands when `destroy()` is called; from the
 * first statement on, ours are rejected then.
 * @throws TypeError if this version of mysql2 has other internals.
 */
function watch(connection: Connection): Watched {
  const { connection: inner } = connection as unknown as { connection?: Partial<Core> };
  const found = inner && watched.get(inner);
  if (found !== undefined) return found;
  const core = checkedCore(inner);
  const pending: Watched['pending'] = new Set();
  const { close } = core;
  core.close = () => {
    close.call(core);
    if (pending.size === 0) return;
    // Their slices may change from now on.
    core.stream.destroy();
    for (const onLost of pending) onLost(lost());
  };
  watched.set(core, { core, pending });
  return { core, pending };
}

function checkedCore(core: Partial<Core> = {}): Core {
  for (const [name, type] of Object.entries(TYPES_OF_CORE)) {
    if (typeof core[name as keyof Core] !== type)
      throw new TypeError(`this version of mysql2 has no connection.${name}: ${type}`);
  }
  const checked = core as Core;
  if (typeof checked.config.clientFlags !== 'number')
    throw new TypeError('this version of mysql2 has no connection.config.clientFlags: number');
  if (checked.config.compress)
    throw new TypeError('statements cannot be sent as bytes over a compressed connection');
  return checked;
}

function lost(cause?: Error): Error {
  const error = new Error('Connection lost: it was closed before the server answered', { cause });
  return Object.assign(error, { code: 'PROTOCOL_CONNECTION_LOST', fatal: true });
}

/**
 * The bytes of the command COM_QUERY: packets, each with its header. The format:
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html
 */
function* packetsOf(core: Core, slices: readonly Uint8Array[]): Generator<Uint8Array> {
  const { config, serverCapabilityFlags } = core;
  const attributes = (config.clientFlags & serverCapabilityFlags & CLIENT_QUERY_ATTRIBUTES) !== 0;
  const command = Uint8Array.from([COM_QUERY, ...(attributes ? NO_ATTRIBUTES : [])]);
  let left = slices.reduce((bytes, slice) => bytes + slice.length, command.length);
  let length = 0;
  let room = 0;
  const header = () => {
    length = Math.min(left, LONGEST_PACKET_BYTES);
    left -= length;
    room = length;
    const bytes = [length, length >> 8, length >> 16, core.sequenceId];
    core._bumpSequenceId(1);
    return Uint8Array.from(bytes);
  };
  yield header();
  for (const slice of [command, ...slices]) {
    for (let start = 0; start < slice.length; ) {
      const end = Math.min(slice.length, start + room);
      yield slice.subarray(start, end);
      room -= end - start;
      start = end;
      if (room === 0 && length === LONGEST_PACKET_BYTES) yield header();
    }
  }
}

/**
 * Writes as much at once as the stream buffers, and calls `onSent` when the system has everything.
 * A lost connection ends this silently: mysql2 reports it.
 */
function writeAll(stream: Duplex, chunks: Iterator<Uint8Array>, onSent: () => void): void {
  let buffered = 0;
  let ended = false;
  const onWritten = (error?: Error | null) => {
    buffered -= 1;
    if (error || buffered > 0) return;
    if (ended) onSent();
    else writeMore();
  };
  const writeMore = () => {
    if (!stream.writable) return;
    stream.cork();
    for (let more = true; more && !ended; ) {
      const { done, value } = chunks.next();
      ended = done === true;
      if (done) break;
      buffered += 1;
      more = stream.write(value, onWritten);
    }
    stream.uncork();
    if (ended && buffered === 0) onSent();
  };
  writeMore();
}

/** @throws Error with the code `UNEXPECTED_ANSWER` for other answers than an error or one OK. */
function answerOf(packet: Packet, core: Core): Answer | Error {
  if (packet.isError()) return packet.asError(core.clientEncoding);
  const kind = packet.readInt8();
  if (kind === LOCAL_INFILE) throw unexpected('a request for a local file');
  if (kind !== OK) throw unexpected('rows');
  const affectedRows = Number(packet.readLengthCodedNumber());
  packet.readLengthCodedNumber(); // the last AUTO_INCREMENT value
  const status = packet.readInt16();
  if ((status & SERVER_MORE_RESULTS_EXISTS) !== 0) throw unexpected('more than one result');
  return { affectedRows, warnings: packet.readInt16() };
}

function unexpected(what: string): Error {
  const error = new Error(`the server answered a statement with ${what}`);
  return Object.assign(error, { code: 'UNEXPECTED_ANSWER' });
}
