import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SinkOrder, SinkReady, SinkReport } from './main.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

export type Certificate = { readonly certificate: string; readonly key: string };

export type Sink = {
  readonly endpoint: string;
  readonly pid: number;
  /**
   * Resets the counters, sets the bandwidth (undefined: unlimited) and returns the counts since the
   * last reset.
   */
  readonly reset: (bytesPerSecond: number | undefined) => Promise<SinkReport>;
  readonly stop: () => Promise<void>;
};

/** Starts a sink, with TLS when given a certificate for 127.0.0.1. */
export async function startSink(tls?: Certificate): Promise<Sink> {
  const child = fork(MAIN, tls === undefined ? [] : [tls.certificate, tls.key], { execArgv: [] });
  const { port } = await answered<SinkReady>(child);
  return {
    endpoint: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    reset: (bytesPerSecond) => {
      const report = answered<SinkReport>(child);
      child.send({ bytesPerSecond } satisfies SinkOrder);
      return report;
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

export async function answered<T>(child: ChildProcess): Promise<T> {
  const either = new AbortController();
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal: either.signal }),
      once(child, 'exit', { signal: either.signal }).then(([code]) => {
        throw new Error(`the S3 sink ended with ${code}`);
      }),
    ]);
    return message as T;
  } finally {
    either.abort(); // takes the other listener away
  }
}
