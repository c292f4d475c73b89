import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

/**
 * PutMetricData limits:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
 */
const LARGEST_BODY_BYTES = 1024 * 1024;
const MOST_DATA = 1000;
const MOST_DIMENSIONS = 30;
const OLDEST_MILLISECONDS = 14 * 24 * 3600 * 1000;
const NEWEST_MILLISECONDS = 2 * 3600 * 1000;

const SLOW_MILLISECONDS = 2000;

const TARGET_PREFIX = 'GraniteServiceVersion20100801.';
const CONTENT_TYPE = 'application/x-amz-json-1.0';

/**
 * `error`: an internal error. `hang`: never an answer. `throttle`: a throttling error. `slow`:
 * recorded, and answered seconds later.
 */
export type FailureMode = 'none' | 'error' | 'hang' | 'throttle' | 'slow';

export type Datum = {
  readonly namespace: string;
  readonly name: string;
  readonly value: number | undefined;
  readonly statisticSet:
    | {
        readonly sampleCount: number;
        readonly sum: number;
        readonly minimum: number;
        readonly maximum: number;
      }
    | undefined;
  readonly unit: string | undefined;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly timestamp: Date;
};

export type Call = {
  readonly operation: string;
  readonly outcome: 'recorded' | 'refused' | 'failed' | 'hanging';
  readonly compressed: boolean;
  /** Why it was refused. */
  readonly reason?: string;
};

export type CloudWatch = {
  /** `http://127.0.0.1:<port>`, for the client's `endpoint` or `AWS_ENDPOINT_URL_CLOUDWATCH`. */
  readonly endpoint: string;
  /** Every request, each attempt on its own. */
  readonly calls: readonly Call[];
  /** The data points of all recorded calls. */
  readonly datums: readonly Datum[];
  /** The metric's Sum over everything recorded; 0 if there is nothing. */
  sum(name: string): number;
  /** What happens to calls from now on. */
  fail(mode: FailureMode): void;
  /** Settles with the next call, once its outcome is known. */
  nextCall(): Promise<Call>;
  /** Stops. Rejects if anything but a valid PutMetricData was asked for, unless `tolerant`. */
  close(options?: { tolerant: boolean }): Promise<void>;
};

const finite = z.number().min(-1.174271e108).max(1.174271e108);
const statisticValues = z
  .strictObject({ SampleCount: finite.positive(), Sum: finite, Minimum: finite, Maximum: finite })
  .refine((set) => set.Minimum <= set.Maximum, { error: 'Minimum above Maximum' });
const dimension = z.strictObject({
  Name: z.string().min(1).max(255),
  Value: z.string().min(1).max(1024),
});
const timestamp = z.number().refine(
  (seconds) => {
    const age = Date.now() - seconds * 1000;
    return age <= OLDEST_MILLISECONDS && age >= -NEWEST_MILLISECONDS;
  },
  { error: 'not within two weeks before and two hours after now' },
);
const metricDatum = z
  .strictObject({
    MetricName: z.string().min(1).max(255),
    Dimensions: z.array(dimension).max(MOST_DIMENSIONS).optional(),
    Timestamp: timestamp.optional(),
    Value: finite.optional(),
    StatisticValues: statisticValues.optional(),
    Unit: z.enum(['Bytes', 'Count', 'Percent', 'Seconds']).optional(),
  })
  .refine((datum) => (datum.Value === undefined) !== (datum.StatisticValues === undefined), {
    error: 'exactly one of Value and StatisticValues',
  });
const putMetricData = z.strictObject({
  Namespace: z.string().regex(/^[^:].{0,254}$/),
  MetricData: z.array(metricDatum).min(1).max(MOST_DATA),
});
type MetricDatum = z.infer<typeof metricDatum>;

/**
 * Starts an HTTP endpoint that records what the AWS SDK sends for PutMetricData: AWS JSON 1.0,
 * gzipped from 10 KiB on. Other operations, unsigned requests and data that CloudWatch's documented
 * limits forbid are answered 4xx and make `close` reject. Signatures must be there but are not
 * verified.
 */
export async function startCloudWatch(): Promise<CloudWatch> {
  const calls: Call[] = [];
  const datums: Datum[] = [];
  const heard = new EventEmitter<{ call: [Call] }>();
  let mode: FailureMode = 'none';

  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target'] ?? request.url).replace(
      TARGET_PREFIX,
      '',
    );
    const compressed = request.headers['content-encoding'] === 'gzip';
    const tell = (call: Pick<Call, 'outcome' | 'reason'>) => {
      calls.push({ operation, compressed, ...call });
      heard.emit('call', { operation, compressed, ...call });
    };
    try {
      const body = await readBody(request);
      if (mode === 'hang') return tell({ outcome: 'hanging' });
      if (mode === 'slow') await sleep(SLOW_MILLISECONDS);
      else if (mode !== 'none') {
        answerFailure(response, mode);
        return tell({ outcome: 'failed' });
      }
      datums.push(...accept(request, operation, body));
      response.writeHead(200, { 'content-type': CONTENT_TYPE }).end('{}');
      tell({ outcome: 'recorded' });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      answer(
        response,
        400,
        'InvalidParameterValueException',
        'InvalidParameterValue;Sender',
        reason,
      );
      tell({ outcome: 'refused', reason });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    endpoint: `http://127.0.0.1:${port}`,
    calls,
    datums,
    sum: (name) =>
      datums
        .filter((datum) => datum.name === name)
        .reduce((sum, { value, statisticSet }) => sum + (value ?? statisticSet?.sum ?? 0), 0),
    fail: (next) => {
      mode = next;
    },
    nextCall: async () => {
      const [call] = await once(heard, 'call');
      return call;
    },
    close: async ({ tolerant } = { tolerant: false }) => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      const refused = calls.filter((call) => call.outcome === 'refused');
      if (refused.length > 0 && !tolerant) {
        throw new Error(
          `CloudWatch refused: ${refused.map((call) => `${call.operation}: ${call.reason}`)}`,
        );
      }
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const sent = Buffer.concat(parts);
  if (sent.length > LARGEST_BODY_BYTES) throw new Error(`body of ${sent.length} bytes`);
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent).toString(
    'utf8',
  );
}

/** @throws Error saying why CloudWatch would not take it. */
function accept(request: IncomingMessage, operation: string, body: string): readonly Datum[] {
  const { headers } = request;
  if (request.method !== 'POST' || request.url !== '/')
    throw new Error(`${request.method} ${request.url}`);
  if (headers['content-type'] !== CONTENT_TYPE)
    throw new Error(`content-type ${headers['content-type']}`);
  if (operation !== 'PutMetricData') throw new Error(`unknown operation ${operation}`);
  if (!/^AWS4-HMAC-SHA256 .*\/monitoring\/aws4_request/.test(headers.authorization ?? '')) {
    throw new Error('not signed for monitoring');
  }
  const parsed = putMetricData.safeParse(JSON.parse(body));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  return parsed.data.MetricData.map((datum) => flatten(parsed.data.Namespace, datum));
}

function flatten(namespace: string, datum: MetricDatum): Datum {
  const set = datum.StatisticValues;
  return {
    namespace,
    name: datum.MetricName,
    value: datum.Value,
    statisticSet: set && {
      sampleCount: set.SampleCount,
      sum: set.Sum,
      minimum: set.Minimum,
      maximum: set.Maximum,
    },
    unit: datum.Unit,
    dimensions: Object.fromEntries(
      (datum.Dimensions ?? []).map(({ Name, Value }) => [Name, Value]),
    ),
    timestamp: datum.Timestamp === undefined ? new Date() : new Date(datum.Timestamp * 1000),
  };
}

function answerFailure(response: ServerResponse, mode: 'error' | 'throttle'): void {
  if (mode === 'error')
    answer(response, 500, 'InternalServiceFault', 'InternalFailure;Receiver', 'internal error');
  else answer(response, 400, 'ThrottlingException', 'Throttling;Sender', 'Rate exceeded');
}

/** The service keeps the codes of its older query protocol in a header of their own. */
function answer(
  response: ServerResponse,
  status: number,
  type: string,
  code: string,
  message: string,
): void {
  response
    .writeHead(status, { 'content-type': CONTENT_TYPE, 'x-amzn-query-error': code })
    .end(JSON.stringify({ __type: `com.amazonaws.cloudwatch#${type}`, message }));
}
