import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createConnection } from 'mysql2/promise';
import { expect, onTestFinished, test } from 'vitest';
import { sendStatement } from '../../app/database/statement-wire.ts';
import { streamOf } from './wire-server.ts';

const PROTOCOL_41 = 0x0200;
const SECURE_CONNECTION = 0x8000;
const COMPRESS = 0x20;
const QUERY_ATTRIBUTES = 2 ** 27;

function packet(number: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header.writeUInt8(number, 3);
  return Buffer.concat([header, payload]);
}

function greeting(capabilities: number): Buffer {
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(capabilities + PROTOCOL_41 + SECURE_CONNECTION);
  const payload = [
    Buffer.from('\n9.7.4\0'),
    Buffer.from([1, 0, 0, 0]),
    Buffer.from('12345678\0'),
    flags.subarray(0, 2),
    Buffer.from([45, 2, 0]),
    flags.subarray(2),
    Buffer.from([21]),
    Buffer.alloc(10),
    Buffer.from('123456789012\0'),
  ];
  return packet(0, Buffer.concat(payload));
}

const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const DENIED = Buffer.concat([Buffer.from([0xff, 0x76, 0x04]), Buffer.from('#42000Denied')]);

/** What a client has sent after its login. */
type Received = { readonly bytes: number; readonly text: () => string };

/** A server that accepts any login, and calls this at all bytes that it receives afterwards. */
async function connected(
  onBytes: (received: Received, socket: Socket) => unknown,
  { capabilities = 0, compress = false } = {},
) {
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let login = true;
    socket.on('error', () => {}).write(greeting(capabilities));
    socket.on('data', (chunk) => {
      if (login) socket.write(packet(2, OK));
      else {
        chunks.push(chunk);
        bytes += chunk.length;
        onBytes({ bytes, text: () => Buffer.concat(chunks).toString('latin1') }, socket);
      }
      login = false;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = await createConnection({ host: '127.0.0.1', port, user: 'root', compress });
  onTestFinished(() => {
    connection.destroy();
    server.close();
  });
  return connection;
}

const DO = [Buffer.from('D'), Buffer.from('O 1')];

test.each([
  [0, '\x05\0\0\0\x03DO 1'],
  [QUERY_ATTRIBUTES, '\x07\0\0\0\x03\0\x01DO 1'],
])('to a server with the capabilities %i these bytes go: %j', async (capabilities, expected) => {
  let heard = '';
  const onBytes = ({ text }: Received, socket: Socket) => {
    heard = text();
    if (heard.endsWith('DO 1')) socket.write(packet(1, OK));
  };
  const connection = await connected(onBytes, { capabilities });
  await sendStatement(connection, DO);
  expect(heard).toBe(expected);
});

test.each([
  ['\xfc\xe8\x03', 1000],
  ['\xfd\xa0\x86\x01', 100_000],
  ['\xfe\x05\0\0\0\x03\0\0\0', 3 * 2 ** 32 + 5],
  ['\xfe\0\0\0\0\0\0\x30\0', 3 * 2 ** 52],
])('the number %j is read', async (coded, affectedRows) => {
  const answer = Buffer.from(`\0${coded}\xfd\x01\x01\x01\x02\0\x02\x01`, 'latin1');
  const connection = await connected((_, socket) => socket.write(packet(1, answer)));
  expect(await sendStatement(connection, DO)).toEqual({ affectedRows, warnings: 258 });
});

test('a request for a local file is refused, and nothing is sent', async () => {
  let heard = 0;
  const connection = await connected(({ bytes }, socket) => {
    heard = bytes;
    socket.write(packet(1, Buffer.from('\xfb/etc/passwd', 'latin1')));
    socket.on('end', () => socket.end());
  });
  await expect(sendStatement(connection, DO)).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER' });
  await expect(sendStatement(connection, DO)).rejects.toThrow(/closed/);
  expect(heard).toBe(9);
});

const LARGE = Array.from({ length: 60 }, () => Buffer.alloc(200_000, 'x'));
const LARGE_BYTES = 60 * 200_000;

test('an error that comes early is reported when the slices may change', async () => {
  let heard = 0;
  let refused = false;
  const connection = await connected(({ bytes }, socket) => {
    heard = bytes;
    if (!refused) socket.write(packet(1, DENIED));
    refused = true;
    if (heard > LARGE_BYTES + 5) socket.write(packet(1, OK));
  });
  await expect(sendStatement(connection, LARGE)).rejects.toMatchObject({
    errno: 1142,
    code: 'ER_TABLEACCESS_DENIED_ERROR',
    sqlState: '42000',
    message: 'Denied',
  });
  const { bytesWritten, writableLength } = streamOf(connection);
  expect(bytesWritten - writableLength).toBeGreaterThan(LARGE_BYTES);
  expect(await sendStatement(connection, DO)).toMatchObject({ affectedRows: 0 });
  expect(heard).toBe(LARGE_BYTES + 5 + 9);
});

test('an early error is the reason, and not the loss of the connection that follows', async () => {
  const asked = Promise.withResolvers<Socket>();
  const connection = await connected((_, socket) => asked.resolve(socket.pause()));
  const statement = sendStatement(connection, LARGE.concat(LARGE, LARGE));
  const rejected = expect(statement).rejects.toMatchObject({ message: 'Denied' });
  const socket = await asked.promise;
  socket.write(packet(1, DENIED));
  // mysql2's own listener comes first.
  await once(streamOf(connection), 'data');
  socket.resetAndDestroy();
  await rejected;
});

test('a compressed connection is refused', async () => {
  const connection = await connected(() => {}, { capabilities: COMPRESS, compress: true });
  await expect(sendStatement(connection, DO)).rejects.toThrow(/compressed/);
});

const INTERNALS = [
  'config',
  'serverCapabilityFlags',
  'clientEncoding',
  'stream',
  'sequenceId',
  '_resetSequenceId',
  '_bumpSequenceId',
  'addCommand',
  'handlePacket',
  'close',
];

test.each(INTERNALS)('a mysql2 without connection.%s is refused by name', async (name) => {
  const connection = await connected(() => {});
  const { connection: core } = connection as unknown as { connection: object };
  const get = (target: object, key: string | symbol) =>
    key === name ? undefined : Reflect.get(target, key);
  const changed = { connection: new Proxy(core, { get }) } as unknown as typeof connection;
  await expect(sendStatement(changed, DO)).rejects.toThrow(`mysql2 has no connection.${name}:`);
});
