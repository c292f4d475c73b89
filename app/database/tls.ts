import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, TLSSocket } from 'node:tls';
import type { ServerConfig } from '../config.ts';
import type { Query } from './connection.ts';

/** How a connection runs between us and HOST. A proxy at HOST may connect otherwise behind it. */
export type Transport = {
  readonly encrypted: boolean;
  /** SHA-1 of the server's certificate; MariaDB's client library takes no other before 3.4. */
  readonly fingerprint: string | undefined;
};

/** The `ssl` option of mysql2. */
type SslOptions = {
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

/** A connection whose greeting was read. mysql2 can still read the greeting from the socket. */
export type Dialled = {
  readonly socket: Socket;
  /** Undefined if the server sent no greeting, but an error such as "Too many connections". */
  readonly offersTls: boolean | undefined;
};

/**
 * Connects, and checks whether the server offers TLS. The socket is paused. `signal` ends it.
 * @throws the socket's error, or one with the code `PROTOCOL_CONNECTION_LOST`.
 */
export async function dial(server: ServerConfig, signal: AbortSignal): Promise<Dialled> {
  const { socket: path, host, port } = server;
  const socket = connect(path === undefined ? { host, port, signal } : { path, signal });
  // Node throws an error that has no listener. The promises that use the socket report it.
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
 * Reads the flag for TLS of a greeting. The format:
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
 * The TLS options for mysql2; undefined without TLS. `preferred` has the meaning of MySQL's client
 * library: unverified TLS over TCP if the server offers it.
 * @throws Error with the code `NO_TLS` if the server offers no TLS and the mode needs it.
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
  // As in MySQL's client libraries: encrypted, but the server's identity is not verified.
  if (mode === 'required') return { rejectUnauthorized: false };
  const { caFile } = server.tls;
  return {
    ...(caFile !== undefined && { ca: readFileSync(caFile, 'utf8') }),
    rejectUnauthorized: true,
    verifyIdentity: mode === 'verify-full',
  };
}

/**
 * Reads the transport from the stream of an open connection.
 * @throws Error with `verify-full` if the certificate is for another name, regardless of what the
 *   libraries below have checked.
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

/** The cipher that the server reports for our session: empty without TLS. */
export type SessionCipher = {
  readonly ours: string;
  /** The table and condition to read it from, for a statement. */
  readonly from: string;
};

/** MariaDB has the first of these, MySQL the second. */
const STATUS_TABLES = ['information_schema.session_status', 'performance_schema.session_status'];

/** @returns undefined if the server shows it in neither table. */
export async function readSessionCipher(query: Query): Promise<SessionCipher | undefined> {
  for (const table of STATUS_TABLES) {
    const from = `${table} WHERE VARIABLE_NAME = 'Ssl_cipher'`;
    const [row] = await query(`SELECT VARIABLE_VALUE AS cipher FROM ${from}`).catch(() => []);
    if (row !== undefined) return { ours: String(row.cipher ?? ''), from };
  }
  return undefined;
}

/** The name that the certificate must have: HOST, or `localhost` on a socket. */
function nameOf({ socket, host }: ServerConfig): string {
  return socket === undefined ? host : 'localhost';
}

/** Why a connection failed, if TLS is the likely cause; undefined otherwise. */
export function tlsReason(
  error: Error,
  server: ServerConfig,
  encrypted: boolean,
): string | undefined {
  const mode = modeOf(server);
  const { code } = error as NodeJS.ErrnoException;
  const { message } = error;
  if (code === 'NO_TLS') {
    const remedy = 'switch it on in the server, or set TLS_MODE=preferred';
    return `${message}, which TLS_MODE=${mode} needs; ${remedy}`;
  }
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
        : 'the log of the server may say more';
    return `the TLS handshake failed; ${wayOut}`;
  }
  if (/expired|not yet valid/.test(message)) return 'the server needs a new certificate';
  if (/altnames|cert's CN/.test(message))
    return 'HOST must be a name that the certificate has, or set TLS_MODE=verify-ca';
  const { caFile } = server.tls;
  return (
    `TLS_MODE=${mode}: TLS_CA="${caFile}" must hold the authority that signed the server's ` +
    'certificate'
  );
}
