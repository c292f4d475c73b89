import { close as closeFile, read } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { FaultAction } from './faults.ts';
import type { Answer } from './types.ts';
import { tag, xmlDeclaration } from './xml.ts';

const readAt = promisify(read);
const close = promisify(closeFile);
const readSize = 256 * 1024;

/**
 * Sends an answer without a file. `content-length` headers are left as given where there is no
 * document.
 */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  const { body } = answer;
  setHeaders(response, answer);
  if (typeof body !== 'string') {
    if (answer.status !== 204 && answer.status !== 304 && !response.hasHeader('content-length'))
      response.setHeader('content-length', '0');
    response.writeHead(answer.status).end();
    return;
  }
  response.setHeader('content-type', 'application/xml');
  response.setHeader('content-length', Buffer.byteLength(body));
  response.writeHead(answer.status).end(body);
}

/**
 * Sends an answer whose body is a stretch of an open file, which it closes. `pace` is awaited with
 * each chunk's size before the chunk; `fault` may truncate or corrupt what is sent.
 */
export async function sendFile(
  response: ServerResponse,
  answer: Answer,
  pace: (bytes: number) => Promise<void>,
  fault: FaultAction | undefined,
): Promise<void> {
  const { body } = answer;
  if (body === undefined || typeof body === 'string') return sendAnswer(response, answer);
  try {
    setHeaders(response, answer);
    response.writeHead(answer.status);
    const end = fault?.kind === 'truncate' ? Math.min(fault.afterBytes, body.length) : body.length;
    for (let sent = 0; sent < end && !response.destroyed; ) {
      const buffer = Buffer.allocUnsafe(Math.min(readSize, end - sent));
      const { bytesRead } = await readAt(
        body.descriptor,
        buffer,
        0,
        buffer.length,
        body.start + sent,
      );
      if (bytesRead === 0) throw new Error('an object is shorter than its record');
      if (fault?.kind === 'corrupt' && sent === 0) buffer[0] = (buffer[0] ?? 0) ^ 1;
      sent += bytesRead;
      await pace(bytesRead);
      if (!response.write(buffer.subarray(0, bytesRead))) await drained(response);
    }
    if (end === body.length) response.end();
    else {
      // Flushed first, so that exactly these bytes arrive.
      if (end === 0) response.flushHeaders();
      await new Promise((resolve) => response.write('', resolve));
      response.socket?.end();
      response.socket?.destroySoon();
    }
  } finally {
    await close(body.descriptor);
  }
}

/**
 * Answers 200 and keeps the client waiting with whitespace before the error, as a long completion
 * of S3's does.
 */
export async function sendErrorInOk(
  response: ServerResponse,
  error: { readonly code: string; readonly message: string; readonly requestId: string },
): Promise<void> {
  response.setHeader('content-type', 'application/xml');
  response.writeHead(200);
  response.write(xmlDeclaration);
  for (let count = 0; count < 3; count += 1) {
    response.write(' ');
    await sleep(10);
  }
  response.end(errorElement(error));
}

/** Sends half of an answer and ends the connection. */
export function sendHalf(response: ServerResponse, answer: Answer): void {
  const { body } = answer;
  const { socket } = response;
  if (typeof body !== 'string') {
    socket?.end(`HTTP/1.1 ${answer.status} OK\r\nx-amz-request-`);
    return;
  }
  setHeaders(response, answer);
  response.setHeader('content-type', 'application/xml');
  response.setHeader('content-length', Buffer.byteLength(body));
  response.writeHead(answer.status);
  response.write(body.slice(0, body.length / 2), () => socket?.end());
}

/**
 * Sends a head that never ends, a byte at a time, until the client disconnects or `closing` aborts.
 */
export async function sendDripping(
  response: ServerResponse,
  millisecondsPerByte: number,
  closing: AbortSignal,
): Promise<void> {
  const { socket } = response;
  socket?.write('HTTP/1.1 200 OK\r\nx-amz-drip: ');
  while (socket?.writable === true && !closing.aborted) {
    socket.write('.');
    await sleep(millisecondsPerByte, undefined, { signal: closing }).catch(() => {});
  }
  socket?.destroy();
}

/** S3's error document, without the declaration. */
export function errorElement(error: {
  readonly code: string;
  readonly message: string;
  readonly resource?: string;
  readonly requestId: string;
}): string {
  const fields = [
    tag('Code', error.code),
    tag('Message', error.message),
    tag('Resource', error.resource),
    tag('RequestId', error.requestId),
  ];
  return `<Error>${fields.join('')}</Error>`;
}

function setHeaders(response: ServerResponse, answer: Answer): void {
  for (const [name, value] of Object.entries(answer.headers ?? {}))
    if (value !== undefined) response.setHeader(name, value);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
    if (response.destroyed) done();
  });
}
