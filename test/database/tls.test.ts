import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { ServerConfig, TlsMode } from '../../app/config.ts';
import { openDatabase } from '../../app/database/connection.ts';
import { type Dialled, dial } from '../../app/database/tls.ts';

const CLIENT_SSL = 0x0800;
const PROTOCOL_41 = 0x0200;
const SECURE_CONNECTION = 0x8000;

function packet(payload: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  return Buffer.concat([header, payload]);
}

/** A server's greeting, with these capabilities. */
function greeting(capabilities: number): Buffer {
  const flags = Buffer.alloc(2);
  flags.writeUInt16LE(capabilities | PROTOCOL_41 | SECURE_CONNECTION);
  return packet(
    Buffer.concat([
      Buffer.from([10]),
      Buffer.from('9.7.4\0'),
      Buffer.from([1, 0, 0, 0]),
      Buffer.from('12345678\0'),
      flags,
      Buffer.from([45, 2, 0, 0, 0, 21]),
      Buffer.alloc(10),
      Buffer.from('123456789012\0'),
    ]),
  );
}

const TOO_MANY = packet(
  Buffer.concat([Buffer.from([0xff, 0x10, 0x04]), Buffer.from('#08004Too many connections')]),
);

/** A server that answers each connection so, and keeps the bytes it receives. */
async function serverThat(answer: (socket: Socket) => unknown) {
  const heard: Buffer[] = [];
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {}).on('data', (chunk) => heard.push(chunk));
    answer(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = (mode?: TlsMode): ServerConfig => ({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    socket: undefined,
    queryTimeoutSeconds: 60,
    user: 'root',
    password: 'a secret',
    tls: { mode, caFile: undefined },
  });
  return { address, heard: () => Buffer.concat(heard), connections: () => connections };
}

const dialled = async (server: ServerConfig): Promise<Dialled> => {
  const found = await dial(server, new AbortController().signal);
  onTestFinished(() => void found.socket.destroy());
  return found;
};

test.each([
  [CLIENT_SSL, true],
  [0, false],
])('a greeting with the flags %i offers TLS: %s', async (flags, offersTls) => {
  const { address } = await serverThat((socket) => socket.write(greeting(flags)));
  expect(await dialled(address())).toMatchObject({ offersTls });
});

test('a greeting that arrives byte by byte is read, and stays readable', async () => {
  const bytes = greeting(CLIENT_SSL);
  const { address } = await serverThat(async (socket) => {
    socket.setNoDelay(true);
    for (const byte of bytes) {
      socket.write(Buffer.from([byte]));
      await sleep(1);
    }
  });
  const { socket, offersTls } = await dialled(address());
  expect(offersTls).toBe(true);
  socket.resume();
  const [first] = (await once(socket, 'data')) as [Buffer];
  expect(first.equals(bytes)).toBe(true);
});

test('an error in place of a greeting is reported in the server’s words', async () => {
  const { address } = await serverThat((socket) => socket.end(TOO_MANY));
  expect(await dialled(address())).toMatchObject({ offersTls: undefined });
  for (const mode of ['preferred', 'required'] as const)
    await expect(openDatabase(address(mode))).rejects.toThrow(
      /cannot connect .*: Too many connections/,
    );
});

test('a server that closes the connection at once is reported', async () => {
  const { address } = await serverThat((socket) => socket.end());
  await expect(openDatabase(address())).rejects.toThrow(/the server closed the connection/);
});

test.each(['preferred', 'required'] as const)(
  'with TLS_MODE=%s a failed handshake never ends in a login without TLS',
  async (mode) => {
    const server = await serverThat((socket) => {
      socket.write(greeting(CLIENT_SSL));
      // The answer to the request for TLS is no TLS.
      socket.on('data', () => socket.end('no such thing'));
    });
    await expect(openDatabase(server.address(mode))).rejects.toThrow(/the TLS handshake failed/);
    expect(server.connections()).toBe(1);
    expect(server.heard().includes('root')).toBe(false);
  },
);

test.each(['required', 'verify-ca', 'verify-full'] as const)(
  'with TLS_MODE=%s nothing is sent to a server that offers no TLS',
  async (mode) => {
    const server = await serverThat((socket) => socket.write(greeting(0)));
    await expect(openDatabase(server.address(mode))).rejects.toThrow(/offers no TLS/);
    expect(server.heard()).toHaveLength(0);
  },
);
