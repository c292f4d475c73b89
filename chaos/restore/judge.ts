import { EXIT } from '../../app/contract.ts';
import { restoreKindOf } from './kinds.ts';
import type { WrongSeen } from './observe.ts';
import type { RestoreFault, RestorePlan } from './plan.ts';

/** What was seen from outside of one attempt. */
export type Attempt = {
  /** Faults that met something. */
  readonly struck: readonly RestoreFault[];
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly seconds: number;
  /** It had to be killed for not ending. */
  readonly overdue: boolean;
  /** Of the `failed` events in its log. */
  readonly failures: readonly { readonly reason: string; readonly exitCode: number }[];
  readonly saidDone: boolean;
  readonly spokeNothing: boolean;
  readonly printedSecret: boolean;
  readonly processes: readonly string[];
  readonly wrong: readonly WrongSeen[];
  /** What differs from the source, where that was compared: after exit 0 and refusals. */
  readonly content: readonly string[] | undefined;
};

export type RestoreObservation = {
  readonly plan: RestorePlan;
  /** The same command until it ended with exit 0, the last ones without faults. */
  readonly attempts: readonly Attempt[];
  /** Connections and locks in the server after the last one. */
  readonly leftInServer: readonly string[];
};

/** Attempts without faults until one succeeds. */
export const MOST_CLEAN_ATTEMPTS = 3;
const CODES: ReadonlySet<number | null> = new Set([
  EXIT.done,
  EXIT.preflightRefused,
  EXIT.restoreFailed,
  EXIT.interruptedBySigint,
  EXIT.interruptedBySigterm,
]);
/** The server has not yet ended a connection of the attempt before. */
const STILL_HELD = /another restore into this server is running/;
const TAKEN = /already in the server/;
const DEFECT = /unexpected failure|undefined|\[object|TypeError|is not a function/;

/** What is wrong with a run; nothing when every attempt told the truth and one succeeded. Pure. */
export function judgeRestore(seen: RestoreObservation): string[] {
  const { attempts, plan, leftInServer } = seen;
  const last = attempts.at(-1);
  const isDone = last !== undefined && (last.exitCode === EXIT.done || wasDoneBefore(last));
  return [
    ...attempts.flatMap((attempt, index) =>
      judgeAttempt(attempt, plan, index).map((text) => `attempt ${index + 1}: ${text}`),
    ),
    ...when(!isDone, `no success after ${attempts.length} attempts, the last without faults`),
    ...leftInServer.map((what) => `left in the server: ${what}`),
  ];
}

/**
 * An attempt that was killed in its very last moment had restored everything. The next one finds
 * no trace of it but the tables.
 */
export function wasDoneBefore({ exitCode, failures, content }: Attempt): boolean {
  return (
    exitCode === EXIT.preflightRefused &&
    failures.some(({ reason }) => TAKEN.test(reason)) &&
    content?.length === 0
  );
}

function judgeAttempt(attempt: Attempt, plan: RestorePlan, index: number): string[] {
  const { exitCode, overdue, seconds, printedSecret, processes, saidDone } = attempt;
  return [
    ...when(overdue, `it did not end within its bound (${seconds.toFixed(1)} s)`),
    ...when(printedSecret, 'its output holds the password'),
    ...when(processes.length > 0, `processes were left: ${processes.join(' | ')}`),
    ...when(saidDone && exitCode !== EXIT.done && exitCode !== null, 'it said done and failed'),
    ...(exitCode === EXIT.done ? judgeSuccess(attempt) : judgeFailure(attempt, plan, index)),
  ];
}

function judgeSuccess({ failures, content, wrong, saidDone }: Attempt): string[] {
  return [
    ...when(content === undefined, 'exit 0, and the content was not compared'),
    ...(content ?? []).map((line) => `exit 0 with other content: ${line}`),
    ...when(failures.length > 0, 'exit 0 after a `failed` event'),
    ...when(!saidDone, 'exit 0 without a `succeeded` event'),
    ...wrong.flatMap(({ key, read }) => when(read, `exit 0 although ${key} was read and wrong`)),
  ];
}

function judgeFailure(attempt: Attempt, plan: RestorePlan, index: number): string[] {
  const { exitCode, signal, struck, failures, spokeNothing, overdue, wrong } = attempt;
  const kinds = struck.map(({ kind }) => kind);
  if (signal === 'SIGKILL' && (kinds.includes('us-kill') || overdue)) return [];
  if (signal !== null) {
    const early = spokeNothing && kinds.some((kind) => kind.startsWith('us-'));
    return when(!(early && /SIG(?:TERM|INT)/.test(signal)), `it was ended by ${signal}`);
  }
  const [failure] = failures;
  if (failure === undefined) {
    const isAbrupt = kinds.includes('us-term-twice');
    return when(!isAbrupt, `exit ${exitCode} without a reason`);
  }
  return [
    ...when(!CODES.has(exitCode), `exit code ${exitCode} is none of a restore`),
    ...when(failures.length > 1, `exit ${exitCode} with ${failures.length} reasons`),
    ...when(failure.exitCode !== exitCode, `exit ${exitCode}, it reported ${failure.exitCode}`),
    ...when(DEFECT.test(failure.reason), `a defect and no reason: ${failure.reason}`),
    ...judgeReason(attempt, plan, index, failure.reason),
    ...wrong.flatMap(({ key, altered, rows }) =>
      when(
        altered && failure.reason.includes(key) && rows !== undefined && rows > 0,
        `${rows} rows stay in the table of ${key}, which was wrong`,
      ),
    ),
  ];
}

function judgeReason(attempt: Attempt, plan: RestorePlan, index: number, reason: string): string[] {
  const { exitCode, struck, wrong } = attempt;
  if (index > 0 && STILL_HELD.test(reason)) return [];
  if (wasDoneBefore(attempt)) return when(index === 0, `refused an empty server: ${reason}`);
  const ridden = struck.filter(({ kind }) => restoreKindOf(kind).riddenOut).length;
  const isLasting = plan.faults.some(
    ({ kind, attempt: of }) => of === index && restoreKindOf(kind).lasting,
  );
  if (ridden === struck.length && !isLasting)
    return [`exit ${exitCode} although nothing struck except faults to be ridden out: ${reason}`];
  const explained = struck.some(({ kind }) => {
    const { explains, wrongObject } = restoreKindOf(kind);
    const names = !wrongObject || wrong.some(({ key }) => reason.includes(key));
    return names && explains.some((each) => each.code === exitCode && each.reason.test(reason));
  });
  return when(!explained, `exit ${exitCode}: no fault that struck accounts for it: ${reason}`);
}

function when(condition: boolean, violation: string): string[] {
  return condition ? [violation] : [];
}
