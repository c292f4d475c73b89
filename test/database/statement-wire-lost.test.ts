import type { Connection } from 'mysql2/promise';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { sendStatement } from '../../app/database/statement-wire.ts';
import {
  CREATE_BLOBS,
  insertOf,
  LOSS,
  startRelay,
  streamOf,
  TRANSPORTS,
  useWireServer,
} from './wire-server.ts';

const MAX_ALLOWED = 96 * 2 ** 20;
const { db, open } = useWireServer([`max_allowed_packet=${MAX_ALLOWED}`]);
const WAIT = { timeout: 60_000, interval: 20 };

beforeAll(async () => {
  await db().query('CREATE DATABASE wire');
  await db().query(CREATE_BLOBS);
});

const bytes = (text: string): Uint8Array => Buffer.from(text);
const SLEEP = [bytes('DO SLEEP(1000)')];
const large = insertOf(64 * 2 ** 20).statement;
/** In slices as they come from a file. */
const LARGE = Array.from({ length: 256 }, (_, index) =>
  large.subarray(index * 2 ** 18, (index + 1) * 2 ** 18),
);

const lossOf = (work: Promise<unknown>) =>
  expect(work).rejects.toMatchObject({ code: expect.stringMatching(LOSS) });

/** The server runs the statement of {@link SLEEP}. */
async function sleeps(id: number): Promise<void> {
  await vi.waitFor(async () => {
    const sql = "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = ? AND INFO LIKE 'DO S%'";
    expect(await db().query(sql, [id])).toHaveLength(1);
  }, WAIT);
}

/** The stream's buffer keeps its length, since the peer does not read. */
async function stuck(connection: Connection): Promise<void> {
  let before = -1;
  await vi.waitFor(() => {
    const now = streamOf(connection).writableLength;
    const same = now > 0 && now === before;
    before = now;
    expect(same).toBe(true);
  }, WAIT);
}

describe.each(TRANSPORTS)('%s', (way) => {
  const opened = async (port?: number) => {
    const connection = await open(way, port === undefined ? {} : { port });
    // mysql2 emits a loss that no statement reported; without a listener it would be thrown.
    connection.on('error', () => {});
    onTestFinished(() => connection.destroy());
    return connection;
  };
  /** A connection whose statement the server has received in part. */
  const halfSent = async () => {
    const relay = await startRelay(db().port);
    onTestFinished(relay.close);
    const connection = await opened(relay.port);
    await sendStatement(connection, [bytes('DO 1')]);
    relay.hold();
    const statement = sendStatement(connection, LARGE);
    statement.catch(() => {});
    await stuck(connection);
    return { connection, statement };
  };

  test('a statement rejects when its connection is killed before the answer', async () => {
    const connection = await opened();
    const statement = sendStatement(connection, SLEEP);
    const rejected = expect(statement).rejects.toMatchObject({ code: expect.any(String) });
    await sleeps(connection.threadId);
    await db().query(`KILL ${connection.threadId}`);
    await rejected;
    await expect(sendStatement(connection, [bytes('DO 1')])).rejects.toThrow();
  });

  test('a statement rejects when its connection is killed while it is sent', async () => {
    const { connection, statement } = await halfSent();
    await db().query(`KILL ${connection.threadId}`);
    await lossOf(statement);
    await lossOf(sendStatement(connection, [bytes('DO 1')]));
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'a statement rejects when the server ends by %s while it is sent',
    async (signal) => {
      const { statement } = await halfSent();
      process.kill(db().pid, signal);
      await lossOf(statement);
      await db().restart();
    },
  );

  test('a partly sent statement and the next one reject with their connection', async () => {
    const { connection, statement } = await halfSent();
    const queued = sendStatement(connection, [bytes('DO 1')]);
    connection.destroy();
    await Promise.all([lossOf(statement), lossOf(queued)]);
    // What is left of the slices is never sent.
    expect(streamOf(connection).destroyed).toBe(true);
  });

  test('a statement to a frozen server rejects when its connection is destroyed', async () => {
    const connection = await opened();
    const { pid } = db();
    process.kill(pid, 'SIGSTOP');
    onTestFinished(() => void process.kill(pid, 'SIGCONT'));
    const statement = sendStatement(connection, LARGE);
    statement.catch(() => {});
    await stuck(connection);
    connection.destroy();
    await lossOf(statement);
  });

  test('statements that wait for an answer or their turn reject with destroy()', async () => {
    const connection = await opened();
    const statements = [SLEEP, LARGE, SLEEP].map((slices) => sendStatement(connection, slices));
    const rejected = Promise.all(statements.map(lossOf));
    await sleeps(connection.threadId);
    connection.destroy();
    await rejected;
  });

  test('a statement that waits behind a query of mysql2 rejects with destroy()', async () => {
    const connection = await opened();
    connection.query('DO SLEEP(1000)').catch(() => {});
    const rejected = lossOf(sendStatement(connection, LARGE));
    await sleeps(connection.threadId);
    connection.destroy();
    await rejected;
  });

  test.each([
    ['destroyed', async (connection: Connection) => connection.destroy()],
    ['ended', async (connection: Connection) => connection.end()],
    ['killed', async ({ threadId }: Connection) => void (await db().query(`KILL ${threadId}`))],
  ])('a statement on a connection that was %s rejects', async (_, end) => {
    const connection = await opened();
    await sendStatement(connection, [bytes('DO 1')]);
    await end(connection);
    await lossOf(sendStatement(connection, LARGE));
    await lossOf(sendStatement(connection, LARGE));
  });

  test('a statement above max_allowed_packet rejects', async () => {
    const connection = await opened();
    const { statement } = insertOf(MAX_ALLOWED + 2 ** 20);
    const code = expect.stringMatching(/^(ER_NET_PACKET_TOO_LARGE|ECONNRESET|EPIPE)$/);
    await expect(sendStatement(connection, [statement])).rejects.toMatchObject({ code });
    await expect(sendStatement(connection, [bytes('DO 1')])).rejects.toThrow();
  });
});
