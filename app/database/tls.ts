import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, TLSSocket } from 'node:tls';
import type { ServerConfig } from '../config.ts';
import type { Query } from './connection.ts';

/** How a connection runs, between us and what answers at HOST: a proxy may go on otherwise. */
export type Transport = {
  readonly encrypted: boolean;
  /** SHA-1 of the server's certificate; MariaDB's client library takes no other before 3.4. */
  readonly fingerprint: string | undefined;
};

/** What mysql2 takes as `ssl`. */
export type SslOptions = {
  readonly ca?: string;
  readonly rejectUnauthorized: boolean;
  readonly verifyIdentity?: boolean;
};

/** Capability flag of the server's greeting. */
const CLIENT_SSL = 0x0800;
const PROTOCOL_VERSION = 10;
const HEADER_BYTES = 4;
/** No greeting is longer. */
const LONGEST_GREETING_BYTES = 65_536;

/** A server's greeting was read, and is still there to be read by mysql2. */
export type Dialled = {
  readonly socket: Socket;
  /** Undefined where what came is no greeting, but an error such as "Too many connections". */
  readonly offersTls: boolean | undefined;
};

/**
 * Connects, and looks whether the server offers TLS. The socket is paused. `signal` ends it.
 * @throws the socket's error, or one with the code `PROTOCOL_CONNECTION_LOST`.
 */
export async function dial(server: ServerConfig, signal: AbortSignal): Promise<Dialled> {
  const { socket: path, host, port } = server;
  const socket = connect(path === undefined ? { host, port, signal } : { path, signal });
  // Whoever waits for the socket hears of errors by its promise.
  socket.on('error', () => {});
  if (path === undefined) {
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    // Node checks a certificate for this name, or for `localhost` where the host is an address.
    if (isIP(host) !== 0) Object.assign(socket, { _host: host });
  }
  try {
    const greeting = await readGreeting(socket);
    socket.unshift(greeting);
    return { socket, offersTls: offersTls(greeting) };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function readGreeting(socket: Socket): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let read = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    read = Buffer.concat([read, chunk]);
    const bytes =
      read.length < HEADER_BYTES ? Number.POSITIVE_INFINITY : HEADER_BYTES + read.readUIntLE(0, 3);
    if (read.length < Math.min(bytes, LONGEST_GREETING_BYTES)) return;
    socket.pause();
    resolve(read);
  };
  const onClose = () => {
    reject(
      Object.assign(new Error('the server closed the connection'), {
        code: 'PROTOCOL_CONNECTION_LOST',
      }),
    );
  };
  socket.on('data', onData);
  socket.once('error', reject);
  socket.once('close', onClose);
  return promise.finally(() => {
    socket.off('data', onData);
    socket.off('error', reject);
    socket.off('close', onClose);
  });
}

/**
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
 */
function offersTls(greeting: Buffer): boolean | undefined {
  if (greeting[HEADER_BYTES] !== PROTOCOL_VERSION) return undefined;
  const endOfVersion = greeting.indexOf(0, HEADER_BYTES + 1);
  // The connection's id, eight bytes of the scramble and a filler come before the flags.
  const flags = endOfVersion + 1 + 4 + 8 + 1;
  if (endOfVersion === -1 || greeting.length < flags + 2) return undefined;
  return (greeting.readUInt16LE(flags) & CLIENT_SSL) !== 0;
}

/** Without a mode, TLS is preferred. */
export function modeOf({
  tls,
}: Pick<ServerConfig, 'tls'>): NonNullable<ServerConfig['tls']['mode']> {
  return tls.mode ?? 'preferred';
}

/**
 * What mysql2 is to do about TLS; undefined for nothing. `preferred` means what it means to MySQL's
 * client library: TLS over TCP where the server offers it, unverified.
 * @throws Error with the code `NO_TLS` where the server offers none and the mode needs it.
 */
export function sslOptions(
  server: ServerConfig,
  offered: Dialled['offersTls'],
): SslOptions | undefined {
  const mode = modeOf(server);
  if (mode === 'disabled') return undefined;
  if (mode === 'preferred')
    return offered === true && server.socket === undefined
      ? { rejectUnauthorized: false }
      : undefined;
  if (offered === false)
    throw Object.assign(new Error('the server offers no TLS'), { code: 'NO_TLS' });
  // As with the client libraries of MySQL: encrypted, but anybody may be at the other end.
  if (mode === 'required') return { rejectUnauthorized: false };
  const { caFile } = server.tls;
  return {
    ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }),
    rejectUnauthorized: true,
    verifyIdentity: mode === 'verify-full',
  };
}

/**
 * Looks at the stream of a connection that was made.
 * @throws Error where `verify-full` was asked for and the certificate is for another name, whatever
 * the libraries below have checked.
 */
export function transportOf(stream: unknown, server: ServerConfig): Transport {
  if (!(stream instanceof TLSSocket)) return { encrypted: false, fingerprint: undefined };
  const certificate = stream.getPeerCertificate();
  if (modeOf(server) === 'verify-full') {
    const mismatch = checkServerIdentity(nameOf(server), certificate);
    if (mismatch !== undefined) throw Object.assign(mismatch, { code: 'HANDSHAKE_SSL_ERROR' });
  }
  return { encrypted: true, fingerprint: certificate.fingerprint || undefined };
}

/** What the server says of our session: its cipher is empty without TLS. */
export type SessionCipher = {
  readonly ours: string;
  /** Where a statement finds it: a table with a condition. */
  readonly from: string;
};

/** MariaDB has the first of these, MySQL the second. */
const STATUS_TABLES = ['information_schema.session_status', 'performance_schema.session_status'];

/** @returns undefined where the server shows it to nobody. */
export async function readSessionCipher(query: Query): Promise<SessionCipher | undefined> {
  for (const table of STATUS_TABLES) {
    const from = `${table} WHERE VARIABLE_NAME = 'Ssl_cipher'`;
    const [row] = await query(`SELECT VARIABLE_VALUE AS cipher FROM ${from}`).catch(() => []);
    if (row !== undefined) return { ours: String(row.cipher ?? ''), from };
  }
  return undefined;
}

/** The name that the certificate must have. */
function nameOf({ socket, host }: ServerConfig): string {
  return socket === undefined ? host : 'localhost';
}

/** Why a connection could not be made, where that has to do with TLS; undefined otherwise. */
export function tlsReason(
  error: Error,
  server: ServerConfig,
  encrypted: boolean,
): string | undefined {
  const mode = modeOf(server);
  const { code } = error as NodeJS.ErrnoException;
  const { message } = error;
  if (code === 'NO_TLS')
    return `${message}, which TLS_MODE=${mode} needs; switch it on in the server, or set TLS_MODE=preferred`;
  if (code === 'HANDSHAKE_SSL_ERROR') return `${message}; ${wayOutOfHandshake(server, message)}`;
  if (/insecure transport/i.test(message))
    return `${message.replace(/\.$/, '')}; set TLS_MODE=required`;
  if (code !== 'ER_ACCESS_DENIED_ERROR' || encrypted) return undefined;
  const other = 'if the password is right, the user may have to use TLS (REQUIRE SSL)';
  if (mode === 'disabled') return `${message}; ${other}, and TLS_MODE=disabled`;
  if (server.socket !== undefined)
    return `${message}; ${other}, on a socket too: set TLS_MODE=required`;
  return `${message}; ${other}, which the server does not offer`;
}

function wayOutOfHandshake(server: ServerConfig, message: string): string {
  const mode = modeOf(server);
  if (!mode.startsWith('verify')) {
    const wayOut =
      mode === 'preferred'
        ? 'TLS_MODE=disabled connects without'
        : 'the log of the server may tell more';
    return `the TLS handshake failed; ${wayOut}`;
  }
  if (/expired|not yet valid/.test(message)) return 'the server needs a new certificate';
  if (/altnames|cert's CN/.test(message))
    return 'HOST must be a name that the certificate has, or set TLS_MODE=verify-ca';
  return `TLS_MODE=${mode}: TLS_CA="${server.tls.caFile}" must hold the authority that signed the server's certificate`;
}
