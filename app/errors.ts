import { EXIT } from './contract.ts';

/** The caller reacts by kind: each kind has its own exit code. */
export type FailureKind =
  | 'configuration'
  | 'preflight'
  | 'dump'
  | 'upload'
  | 'staging'
  | 'verification'
  | 'restore'
  | 'interrupted';

const EXIT_CODES: Readonly<Record<Exclude<FailureKind, 'interrupted'>, number>> = {
  configuration: EXIT.badConfiguration,
  preflight: EXIT.preflightRefused,
  dump: EXIT.dumpFailed,
  upload: EXIT.uploadFailed,
  staging: EXIT.stagingBudget,
  verification: EXIT.verificationFault,
  restore: EXIT.restoreFailed,
};

/**
 * A failure whose message is for the operator. The message names the variable, file or object, and
 * the way out. It holds no secret. `lines` has several entries only when several mistakes are
 * reported at once.
 */
export class Failure extends Error {
  readonly kind: FailureKind;
  readonly lines: readonly string[];
  readonly signal: InterruptSignal | undefined;
  /** A bug of mydumper that depends on chance, or a lock conflict: a new run may succeed. */
  readonly retryable: boolean;
  /** Wait this long before the new run. */
  readonly retryAfterSeconds: number;

  constructor(
    kind: FailureKind,
    message: string | readonly string[],
    options: {
      cause?: unknown;
      signal?: InterruptSignal;
      retryable?: boolean;
      retryAfterSeconds?: number;
    } = {},
  ) {
    const lines = typeof message === 'string' ? [message] : message;
    super(lines.join('\n'), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.kind = kind;
    this.lines = lines;
    this.signal = options.signal;
    this.retryable = options.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds ?? 0;
  }
}

export type InterruptSignal = 'SIGTERM' | 'SIGINT';

/**
 * The exit code of a failure. Any other error is a defect of this program and counts as a failed
 * dump.
 */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof Failure)) return EXIT.dumpFailed;
  if (error.kind !== 'interrupted') return EXIT_CODES[error.kind];
  return error.signal === 'SIGINT' ? EXIT.interruptedBySigint : EXIT.interruptedBySigterm;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
