import { Console } from 'node:console';
import { Logger, type LogItem } from '@aws-lambda-powertools/logger';
import { redact } from './redact.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'SILENT';

const SERVICE = 'mydumper-fargate';

/** Powertools' own keys that say nothing outside of Lambda. */
const LAMBDA_KEYS: ReadonlySet<string> = new Set(['sampling_rate', 'xray_trace_id']);

/**
 * Powertools sends WARN and ERROR to stderr. Here every line goes to one stream, which keeps their
 * order. Like `console`, it ignores a stream that accepts no more writes (the log driver is gone).
 */
class OneStreamLogger extends Logger {
  /** Not there yet while Powertools' own constructor runs, which may log. */
  private readonly lines: Console | undefined;

  constructor(level: LogLevel, source: string, output: NodeJS.WritableStream) {
    super({
      serviceName: SERVICE,
      logLevel: level,
      // Else POWERTOOLS_LOGGER_SAMPLE_RATE could turn DEBUG on.
      sampleRateValue: 0,
      persistentKeys: { source },
      jsonReplacerFn: redact,
    });
    this.lines = new Console({ stdout: output, ignoreErrors: true });
  }

  protected override printLog(_level: number, log: LogItem): void {
    log.prepareForPrint();
    const attributes = Object.entries(log.getAttributes()).filter(([key]) => !LAMBDA_KEYS.has(key));
    this.lines?.log(JSON.stringify(Object.fromEntries(attributes), this.getJsonReplacer()));
  }
}

/**
 * A Powertools Logger that prints one line of JSON for each entry. Entries hold no environment and
 * no stack.
 */
export function createJsonLogger(
  level: LogLevel,
  source: string,
  output: NodeJS.WritableStream,
): Logger {
  return new OneStreamLogger(level, source, output);
}
