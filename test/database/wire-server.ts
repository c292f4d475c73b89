import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, ConnectionOptions } from 'mysql2/promise';
import { afterAll, beforeAll } from 'vitest';
import { certificatesIn } from '../support/certificates.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { present, tlsConfig } from '../support/mariadb/tls.ts';

export const TRANSPORTS = ['without TLS', 'with TLS'] as const;
export type Way = (typeof TRANSPORTS)[number];

/** Errors of a statement whose connection is lost, apart from the server's own errors. */
export const LOSS = /^(PROTOCOL_CONNECTION_LOST|ECONNRESET|EPIPE)$/;

/** A server for a file's tests that accepts connections with TLS and without. */
export function useWireServer(config: readonly string[] = []): {
  readonly db: () => MariaDb;
  readonly open: (way: Way, options?: ConnectionOptions) => Promise<Connection>;
} {
  let db: MariaDb;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'wire-'));
    const certificates = certificatesIn(directory);
    certificates.makeAuthority('ca');
    certificates.makeServer('good', 'IP:127.0.0.1', 'ca');
    await present(certificates, 'good');
    db = await startMariaDb({ config: [...tlsConfig(certificates), ...config] });
  });
  afterAll(async () => {
    await db?.stop();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    db: () => db,
    open: async (way, options = {}) => {
      const ssl = way === 'with TLS' ? { ssl: { rejectUnauthorized: false } } : {};
      return await db.connect({ ...ssl, ...options });
    },
  };
}

export type Relay = {
  readonly port: number;
  /** Stops reading from the clients. They can send no more once the buffers between are full. */
  readonly hold: () => void;
  readonly close: () => void;
};

/** Passes bytes between clients and a server on this machine. */
export async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    clients.add(client);
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}));
    client.pipe(upstream);
    upstream.pipe(client);
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => {
      for (const client of clients) client.unpipe().pause();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** The stream that mysql2 writes to. */
export function streamOf(connection: Connection): Socket {
  return (connection as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** All byte values but the two with a meaning in a literal: no UTF-8, and with NUL. */
const BYTES = Buffer.from(
  Array.from({ length: 256 }, (_, byte) => (byte * 167 + 31) % 256).filter(
    (byte) => byte !== 0x27 && byte !== 0x5c,
  ),
);

export const CREATE_BLOBS =
  'CREATE TABLE IF NOT EXISTS wire.blobs (id INT PRIMARY KEY, content LONGBLOB) ENGINE=MyISAM';

export type Insert = { readonly statement: Buffer; readonly content: Buffer };

/** A statement of that many bytes that writes row 1. */
export function insertOf(length: number): Insert {
  const before = "REPLACE INTO wire.blobs (id, content) VALUES (1, _binary'";
  const content = Buffer.alloc(length - before.length - 2, BYTES);
  const statement = Buffer.concat([Buffer.from(before), content, Buffer.from("')")]);
  return { statement, content };
}

/** Cuts the bytes at these places. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places, bytes.length].sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}
