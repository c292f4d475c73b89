import { EXIT } from './contract.ts';

/** What the caller does differently: one kind for each exit code a failure can end with. */
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
 * A failure whose message is meant for the operator: it names the variable, file or object, and the
 * way out. Messages hold no secret. `lines` has more than one entry only where several mistakes are
 * reported at once.
 */
export class Failure extends Error {
  readonly kind: FailureKind;
  readonly lines: readonly string[];
  readonly signal: InterruptSignal | undefined;
  /** Bad luck of mydumper's that a new run may well be spared, */
  readonly worthAnotherRun: boolean;
  /** after this time. */
  readonly waitSeconds: number;

  constructor(
    kind: FailureKind,
    message: string | readonly string[],
    options: {
      cause?: unknown;
      signal?: InterruptSignal;
      worthAnotherRun?: boolean;
      waitSeconds?: number;
    } = {},
  ) {
    const lines = typeof message === 'string' ? [message] : message;
    super(lines.join('\n'), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.kind = kind;
    this.lines = lines;
    this.signal = options.signal;
    this.worthAnotherRun = options.worthAnotherRun ?? false;
    this.waitSeconds = options.waitSeconds ?? 0;
  }
}

export type InterruptSignal = 'SIGTERM' | 'SIGINT';

/**
 * The exit code the contract gives to a failure; what is not a `Failure` is a defect of ours and
 * counts as the dump's.
 */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof Failure)) return EXIT.dumpFailed;
  if (error.kind !== 'interrupted') return EXIT_CODES[error.kind];
  return error.signal === 'SIGINT' ? EXIT.interruptedBySigint : EXIT.interruptedBySigterm;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
