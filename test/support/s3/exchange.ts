import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLink, type Link } from './bandwidth.ts';
import { type FaultAction, tamper } from './faults.ts';
import {
  errorElement,
  sendAnswer,
  sendDripping,
  sendErrorInOk,
  sendFile,
  sendHalf,
} from './send.ts';
import { type Answer, type Operation, type RequestRecord, S3Error } from './types.ts';
import { xmlDeclaration } from './xml.ts';

/** Thrown where the connection was cut on purpose and nothing is left to answer. */
export const connectionCut = Symbol('connection cut');

type Settings = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client waits for `100 Continue` before it sends its body. */
  readonly expectsContinue: boolean;
  readonly uplink: Link;
  readonly downlink: Link;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
  readonly log: (record: RequestRecord) => void;
};

export type Exchange = ReturnType<typeof createExchange>;

/**
 * One request and its answer: reads the body at the links' pace, lets the fault strike, logs, and
 * answers.
 */
export function createExchange(settings: Settings) {
  const { request, response, closing } = settings;
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  const record = {
    operation: 'Unknown' as Operation | 'Unknown',
    bucket: '',
    key: '',
    status: 0,
    at: Date.now(),
    bytes: 0,
  };
  let logged = false;
  let awaitingContinue = settings.expectsContinue;
  let slow: Link | undefined;
  const release = () => slow?.release();
  closing.addEventListener('abort', release);
  response.setHeader('x-amz-request-id', requestId);
  response.setHeader('x-amz-id-2', Buffer.from(requestId).toString('base64'));
  response.setHeader('server', 'AmazonS3');

  function log(status: number, code?: string) {
    if (logged) return;
    logged = true;
    settings.log(Object.assign(record, code === undefined ? { status } : { status, code }));
  }

  async function pace(link: Link, bytes: number): Promise<void> {
    record.bytes += bytes;
    for (const wait of [link.take(bytes), slow?.take(bytes)]) if (wait !== undefined) await wait;
  }

  async function* body(): AsyncGenerator<Buffer> {
    if (awaitingContinue) {
      awaitingContinue = false;
      response.writeContinue();
    }
    // Left undestroyed on an early end, so that an answer can still be sent.
    const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      await pace(settings.uplink, chunk.length);
      yield chunk;
    }
  }

  async function readBytes(count: number): Promise<void> {
    let left = count;
    if (left <= 0) return;
    for await (const chunk of body()) {
      left -= chunk.length;
      if (left <= 0) return;
    }
  }

  function cut(withReset: boolean): never {
    log(0);
    if (withReset) request.socket.resetAndDestroy();
    else request.socket.destroy();
    throw connectionCut;
  }

  return {
    record,
    body,

    /**
     * Lets a fault strike before the request is carried out; returns for those that strike later.
     */
    async before(fault: FaultAction): Promise<void> {
      switch (fault.kind) {
        case 'error':
          await readBytes(fault.afterBytes ?? 0);
          throw new S3Error(fault.status, fault.code, fault.message ?? fault.code, {
            ...fault.headers,
          });
        case 'clock-skew': {
          const date = new Date(
            Date.now() + (fault.aheadMilliseconds ?? 20 * 60_000),
          ).toUTCString();
          const message =
            'The difference between the request time and the current time is too large.';
          throw new S3Error(403, 'RequestTimeTooSkewed', message, { date });
        }
        case 'reset':
          await readBytes(fault.afterBytes ?? 0);
          return cut(true);
        case 'error-in-ok':
          log(200, fault.code);
          await sendErrorInOk(response, {
            ...fault,
            message: fault.message ?? fault.code,
            requestId,
          });
          throw connectionCut;
        case 'stall':
          await sleep(fault.milliseconds, undefined, { signal: closing });
          return;
        case 'slow':
          slow = createLink(fault.bytesPerSecond);
          return;
        default:
          return;
      }
    },

    async answer(answer: Answer, fault: FaultAction | undefined): Promise<void> {
      if (fault?.kind === 'lost-answer') cut(false);
      const tampers = fault?.kind === 'wrong-checksum' || fault?.kind === 'no-checksum';
      const sent = tampers ? tamper(answer, fault.kind) : answer;
      log(sent.status);
      if (fault?.kind === 'cut-answer') return sendHalf(response, sent);
      if (fault?.kind === 'drip') return sendDripping(response, fault.millisecondsPerByte, closing);
      if (sent.body === undefined || typeof sent.body === 'string') sendAnswer(response, sent);
      else await sendFile(response, sent, (bytes) => pace(settings.downlink, bytes), fault);
    },

    /**
     * Answers an error; anything but an S3Error is the server's own fault, unless the client went
     * away.
     */
    refuse(error: unknown): void {
      if (error === connectionCut) return;
      if (
        response.destroyed ||
        response.headersSent ||
        request.socket.destroyed ||
        closing.aborted
      ) {
        log(0);
        request.socket.destroy();
        return;
      }
      const known =
        error instanceof S3Error
          ? error
          : new S3Error(500, 'InternalError', `Unexpected: ${String(error)}`);
      log(known.status, known.code);
      // The rest of the body, sent or not, stands before the next request on this connection.
      if (awaitingContinue || !request.complete) response.shouldKeepAlive = false;
      const resource = `/${record.bucket}${record.key === '' ? '' : `/${record.key}`}`;
      const { code, message, headers, status } = known;
      const document = xmlDeclaration + errorElement({ code, message, resource, requestId });
      sendAnswer(response, {
        status,
        headers,
        ...(request.method === 'HEAD' ? {} : { body: document }),
      });
    },

    finish(): void {
      closing.removeEventListener('abort', release);
    },
  };
}
