import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { sendStatement } from '../../app/database/statement-wire.ts';
import { CREATE_BLOBS, cut, insertOf, TRANSPORTS, useWireServer } from './wire-server.ts';

const { db, open } = useWireServer();

beforeAll(async () => {
  await db().query('CREATE DATABASE wire');
  await db().query(CREATE_BLOBS);
  await db().query('CREATE TABLE wire.numbers (n INT UNIQUE)');
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function row(connection: Connection): Promise<RowDataPacket | undefined> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT CONCAT(LENGTH(content)) AS length, SHA2(content, 256) AS sha FROM wire.blobs WHERE id = 1',
  );
  return rows[0];
}

const digest = (content: Uint8Array) => ({
  length: String(content.length),
  sha: createHash('sha256').update(content).digest('hex'),
});

const PACKET = 2 ** 24 - 1;
const AROUND_LIMITS = [
  [PACKET - 1, PACKET, PACKET + 1, PACKET + 2],
  [2 * PACKET - 1, 2 * PACKET, 2 * PACKET + 1],
].flat();
/** The statement alone, with the command's byte, and with the counts that MySQL gets too. */
const LENGTHS = new Set(AROUND_LIMITS.flatMap((size) => [size, size - 1, size - 3]));

describe.each(TRANSPORTS)('%s', (way) => {
  const opened = async () => {
    const connection = await open(way);
    onTestFinished(() => connection.destroy());
    return connection;
  };

  test('the transport is the one that the tests name', async () => {
    const connection = await opened();
    const [rows] = await connection.query<RowDataPacket[]>("SHOW STATUS LIKE 'Ssl_cipher'");
    expect(rows[0]?.Value !== '').toBe(way === 'with TLS');
  });

  test.each([...LENGTHS].sort((a, b) => a - b))(
    'a statement of %i bytes arrives as it is',
    async (length) => {
      const complaints = vi.spyOn(console, 'error');
      onTestFinished(() => complaints.mockRestore());
      const connection = await opened();
      const { statement, content } = insertOf(length);
      const places = Array.from({ length: 100 }, (_, index) => index * 200_000 + 77_777);
      const slices = cut(
        statement,
        places.filter((place) => place < length),
      );
      await sendStatement(connection, slices);
      expect(await row(connection)).toEqual(digest(content));
      // mysql2 prints a line when an answer has another number than it expects.
      expect(complaints).not.toHaveBeenCalled();
    },
  );

  test('slices of one byte may cross the border between two packets', async () => {
    const connection = await opened();
    const { statement, content } = insertOf(PACKET + 40);
    const places = Array.from({ length: 80 }, (_, index) => PACKET - 40 + index);
    await sendStatement(connection, cut(statement, places));
    expect(await row(connection)).toEqual(digest(content));
  });

  test('a hundred thousand slices of one byte make a statement', async () => {
    const connection = await opened();
    const { statement, content } = insertOf(100_000);
    await sendStatement(
      connection,
      Array.from(statement, (_, index) => statement.subarray(index, index + 1)),
    );
    expect(await row(connection)).toEqual(digest(content));
  });

  test('any cutting of a statement gives the same row', async () => {
    const connection = await opened();
    const { statement, content } = insertOf(5000);
    const expected = digest(content);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(statement.length)), async (places) => {
        await sendStatement(connection, [bytes('TRUNCATE TABLE wire.blobs')]);
        await sendStatement(connection, cut(statement, places));
        expect(await row(connection)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test('slices without bytes add nothing', async () => {
    const connection = await opened();
    const none = new Uint8Array();
    const { statement, content } = insertOf(1000);
    await sendStatement(connection, [none, none, ...cut(statement, [9, 9, 500]), none]);
    expect(await row(connection)).toEqual(digest(content));
  });

  test.each([[[]], [[new Uint8Array()]]])('no statement is an error: %j', async (slices) => {
    const connection = await opened();
    await expect(sendStatement(connection, slices)).rejects.toMatchObject({
      code: 'ER_EMPTY_QUERY',
    });
    await connection.query('DO 1');
  });

  test('a failed statement rejects with the server’s error, and the next one works', async () => {
    const connection = await opened();
    await sendStatement(connection, [bytes('TRUNCATE TABLE wire.numbers')]);
    const insert = [bytes('INSERT INTO wire.numbers VALUES (1)')];
    await sendStatement(connection, insert);
    await expect(sendStatement(connection, insert)).rejects.toMatchObject({
      code: 'ER_DUP_ENTRY',
      errno: 1062,
      sqlState: '23000',
      message: expect.stringContaining('Duplicate entry'),
    });
    const next = sendStatement(connection, [bytes('DELETE FROM wire.numbers')]);
    expect(await next).toEqual({ affectedRows: 1, warnings: 0 });
  });

  test('a failed statement of more than one packet leaves the connection usable', async () => {
    const connection = await opened();
    const { statement } = insertOf(PACKET + 1000);
    const wrong = sendStatement(connection, [statement, bytes(' WRONG')]);
    await expect(wrong).rejects.toMatchObject({ code: 'ER_PARSE_ERROR' });
    expect(await sendStatement(connection, [bytes('DO 1')])).toMatchObject({ affectedRows: 0 });
  });

  test('an answer counts rows and warnings', async () => {
    const connection = await opened();
    await connection.query("SET sql_mode = ''");
    await sendStatement(connection, [bytes('TRUNCATE TABLE wire.numbers')]);
    const insert = "INSERT INTO wire.numbers VALUES ('1a'), ('2b'), (3), ('4d')";
    expect(await sendStatement(connection, [bytes(insert)])).toEqual({
      affectedRows: 4,
      warnings: 3,
    });
    const rows = Array.from({ length: 70_000 }, (_, index) => `(${index + 10})`).join();
    expect(
      await sendStatement(connection, [bytes(`INSERT INTO wire.numbers VALUES ${rows}`)]),
    ).toEqual({ affectedRows: 70_000, warnings: 0 });
  });

  test('statements and queries run in the order of their calls', async () => {
    const connection = await opened();
    const { statement } = insertOf(PACKET + 5);
    const results = await Promise.all([
      sendStatement(connection, [bytes('TRUNCATE TABLE wire.blobs')]),
      connection.query('SELECT COUNT(*) AS rows_now FROM wire.blobs'),
      sendStatement(connection, [statement]),
      connection.query('SELECT COUNT(*) AS rows_now FROM wire.blobs'),
      sendStatement(connection, [bytes('DELETE FROM wire.blobs')]),
      sendStatement(connection, [bytes('DELETE FROM wire.blobs')]),
    ]);
    expect([results[1][0], results[3][0]]).toEqual([[{ rows_now: '0' }], [{ rows_now: '1' }]]);
    expect([results[4].affectedRows, results[5].affectedRows]).toEqual([1, 0]);
  });

  test.each([
    ['SELECT 1', {}, /rows/],
    ['SET @a = 1; SET @b = 2', { multipleStatements: true }, /more than one result/],
  ])('%j ends the connection, as an answer without rows is expected', async (sql, options, why) => {
    const connection = await open(way, options);
    const outcomes = await Promise.allSettled([
      sendStatement(connection, [bytes(sql)]),
      sendStatement(connection, [bytes('DO 1')]),
      connection.query('DO 1'),
    ]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        reason: { code: 'UNEXPECTED_ANSWER', message: expect.stringMatching(why) },
      });
    await expect(sendStatement(connection, [bytes('DO 1')])).rejects.toThrow(/closed/);
  });
});
