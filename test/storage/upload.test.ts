import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, test, vi } from 'vitest';
import { createReusedBuffers } from '../../app/reused-buffers.ts';
import { encodeCrc32 } from '../../app/storage/checksum-guard.ts';
import type { UploadJob } from '../../app/storage/multipart.ts';
import { createPartMemory } from '../../app/storage/part-memory.ts';
import { uploadBody } from '../../app/storage/upload.ts';
import { mebibyte, sampleBytes } from '../support/s3/test-setup.ts';
import { streamOf } from '../support/s3/test-store.ts';

const PART = 5 * mebibyte;

/**
 * A client that answers parts when the test allows it. It reads a part's content only then, as a
 * slow network would.
 */
function heldClient() {
  const parts: {
    number: number;
    crc: string | undefined;
    content: () => Buffer;
    answer: () => void;
  }[] = [];
  const send = (command: unknown): Promise<object> => {
    if (!(command instanceof UploadPartCommand))
      return Promise.resolve({ UploadId: 'id', ChecksumCRC32: 'whole' });
    const { Body, PartNumber, ChecksumCRC32 } = command.input;
    const { promise, resolve } = Promise.withResolvers<object>();
    parts.push({
      number: PartNumber ?? 0,
      crc: ChecksumCRC32,
      content: () => Buffer.from(Body as Buffer),
      answer: () => resolve({ ETag: `"${PartNumber}"`, ChecksumCRC32: 'part' }),
    });
    return promise;
  };
  return { client: { send } as unknown as Pick<S3Client, 'send'>, parts };
}

function jobFor(client: UploadJob['client'], extra: Partial<UploadJob> = {}): UploadJob {
  return {
    client,
    target: { Bucket: 'box', Key: 'k' },
    partBytes: PART,
    memory: createPartMemory(1),
    onTaken: () => {},
    onWhole: () => {},
    onAcknowledged: () => {},
    ...extra,
  };
}

test('a part keeps its content until its answer; only then is its buffer used again', async () => {
  const { client, parts } = heldClient();
  const reused = createReusedBuffers();
  const buffers = new Set<Buffer>();
  const acknowledged: number[] = [];
  const body = sampleBytes(24 * mebibyte);
  const job = jobFor(client, {
    memory: createPartMemory(1, {
      take: (bytes) => {
        const buffer = reused.take(bytes);
        buffers.add(buffer);
        return buffer;
      },
      giveBack: reused.giveBack,
    }),
    onAcknowledged: (bytes) => acknowledged.push(bytes),
  });
  const done = uploadBody(job, streamOf(body));
  const received: Buffer[] = [];
  for (let number = 1; number <= 5; number += 1) {
    await vi.waitFor(() => expect(parts.length).toBeGreaterThanOrEqual(number));
    await setImmediate();
    const part = parts[number - 1];
    expect(part?.number).toBe(number);
    received.push(part?.content() ?? Buffer.alloc(0));
    part?.answer();
  }
  expect(await done).toEqual({ bytes: body.byteLength, crc: crc32(body), answered: 'whole' });
  expect(parts.map(({ crc }) => crc)).toEqual(received.map((part) => encodeCrc32(crc32(part))));
  expect(Buffer.concat(received).equals(body)).toBe(true);
  expect(buffers.size).toBe(2);
  expect(acknowledged).toEqual([1, 2, 3, 4, 5].map((count) => count * PART));
});

test('a completion sends the whole checksum, and requires that the key is free', async () => {
  const { client, parts } = heldClient();
  const completions: unknown[] = [];
  const noting: UploadJob['client'] = {
    send: ((command: { input: unknown }) => {
      if (command instanceof CompleteMultipartUploadCommand) completions.push(command.input);
      return (client.send as (sent: unknown) => Promise<object>)(command);
    }) as UploadJob['client']['send'],
  };
  const body = sampleBytes(PART + 4);
  const done = uploadBody(jobFor(noting), streamOf(body));
  await vi.waitFor(() => expect(parts).toHaveLength(2));
  for (const { answer } of parts) answer();
  await done;
  const ChecksumCRC32 = encodeCrc32(crc32(body));
  expect(completions).toMatchObject([
    { IfNoneMatch: '*', ChecksumCRC32, ChecksumType: 'FULL_OBJECT' },
  ]);
});

test('parts answered out of order are acknowledged in order', async () => {
  const { client, parts } = heldClient();
  const acknowledged: number[] = [];
  const job = jobFor(client, {
    memory: createPartMemory(2),
    onAcknowledged: (bytes) => acknowledged.push(bytes),
  });
  const done = uploadBody(job, streamOf(sampleBytes(2 * PART + 4)));
  await vi.waitFor(() => expect(parts).toHaveLength(3));
  parts[1]?.answer();
  await setImmediate();
  expect(acknowledged).toEqual([]);
  parts[0]?.answer();
  await vi.waitFor(() => expect(acknowledged).toEqual([2 * PART]));
  parts[2]?.answer();
  await done;
  expect(acknowledged).toEqual([2 * PART, 3 * PART]);
});

test('each piece is given back once, and a single request reports the whole body', async () => {
  const { client } = heldClient();
  const pieces = [sampleBytes(1000, 1), sampleBytes(2000, 2)];
  const taken: Buffer[] = [];
  const wholes: Buffer[] = [];
  await uploadBody(
    jobFor(client, {
      onTaken: (piece) => taken.push(piece),
      onWhole: (whole) => wholes.push(Buffer.from(whole)),
    }),
    Readable.from(pieces),
  );
  expect(taken).toEqual(pieces);
  expect(wholes).toEqual([Buffer.concat(pieces)]);
});

test('a file with a part under way waits until another file gives back an extra part', async () => {
  const { client, parts } = heldClient();
  const memory = createPartMemory(1);
  const files = [1, 2].map((seed) =>
    uploadBody(jobFor(client, { memory }), streamOf(sampleBytes(2 * PART + 4, seed))),
  );
  // Three parts in memory: one of them is half filled and not sent.
  await vi.waitFor(() => expect(parts).toHaveLength(3));
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  expect(parts.length).toBe(3);
  for (let number = 0; number < 6; number += 1) {
    await vi.waitFor(() => expect(parts.length).toBeGreaterThan(number));
    parts[number]?.answer();
  }
  const uploaded = await Promise.all(files);
  expect(uploaded.map(({ bytes }) => bytes)).toEqual([2 * PART + 4, 2 * PART + 4]);
});

test('a failure ends a file that waits for memory', async () => {
  const { client, parts } = heldClient();
  const memory = createPartMemory(1);
  const other = memory.open();
  await other.take(PART);
  await other.take(PART);
  let isRefused = false;
  const refusing: UploadJob['client'] = {
    send: ((command: unknown) => {
      const answer = (client.send as (sent: unknown) => Promise<object>)(command);
      if (!(command instanceof UploadPartCommand)) return answer;
      return answer.then(() => {
        isRefused = true;
        throw new Error('refused');
      });
    }) as UploadJob['client']['send'],
  };
  const done = uploadBody(jobFor(refusing, { memory }), streamOf(sampleBytes(3 * PART)));
  await vi.waitFor(() => expect(parts).toHaveLength(1));
  parts[0]?.answer();
  await expect(done).rejects.toThrow('refused');
  expect(isRefused).toBe(true);
});
