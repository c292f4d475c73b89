import { EXIT } from '../../app/contract.ts';
import { awsEnvironment, logLines, startProgram } from '../../test/support/program.ts';
import { endOf } from '../end-of.ts';
import type { PreparedBackup } from './backups.ts';
import { unleashOnRestore } from './faults.ts';
import {
  type Attempt,
  MOST_CLEAN_ATTEMPTS,
  type RestoreObservation,
  wasDoneBefore,
} from './judge.ts';
import type { RestoreLab } from './lab.ts';
import {
  contentFaults,
  dropRestored,
  leftInServer,
  lookAtWrong,
  processesWithVariable,
} from './observe.ts';
import type { RestorePlan } from './plan.ts';
import { BUCKET, RESTORER, type RestoreScene } from './scene.ts';

/** Retries, a restart of the server and locks of a few seconds in a row. */
const BOUND_MILLISECONDS = 90_000;

export type RestoreRun = { readonly seen: RestoreObservation; readonly log: string };

/**
 * Restores into an empty server with the plan's faults. Then it runs the same command again until
 * it succeeds, and compares the server with the source.
 */
export async function runRestorePlan(lab: RestoreLab, plan: RestorePlan): Promise<RestoreRun> {
  const backup = await lab.backupOf(plan.shape);
  await dropRestored(lab.target);
  const attempts: Attempt[] = [];
  const logs: string[] = [];
  let clean = 0;
  for (let index = 0; clean < MOST_CLEAN_ATTEMPTS; index += 1) {
    const isClean = plan.faults.every(({ attempt }) => attempt < index);
    if (isClean) clean += 1;
    const { attempt, log } = await runAttempt(lab, plan, backup, index);
    attempts.push(attempt);
    logs.push(`attempt ${index + 1}:\n${log}`);
    if (attempt.exitCode === EXIT.done || attempt.overdue || wasDoneBefore(attempt)) break;
  }
  const seen = { plan, attempts, leftInServer: await leftInServer(lab.target) };
  return { seen, log: logs.join('\n') };
}

async function runAttempt(
  lab: RestoreLab,
  plan: RestorePlan,
  backup: PreparedBackup,
  index: number,
): Promise<{ attempt: Attempt; log: string }> {
  const { s3, target: db } = lab;
  const faults = plan.faults.filter(({ attempt }) => attempt === index);
  const bandwidth = Math.ceil(backup.storedBytes / plan.spanSeconds);
  s3.setBandwidth(faults.length === 0 ? undefined : bandwidth);
  const token = `CHAOS_ATTEMPT=${process.pid}-${plan.seed}-${plan.run}-${index}`;
  const startedAt = performance.now();
  const end = new AbortController();
  const undone: (() => unknown)[] = [];
  const wrong: RestoreScene['wrong'] = [];
  const firstRequest = s3.requests.length;
  const program = startProgram(environmentOf(lab, plan, backup, token), ['restore']);
  const scene: RestoreScene = {
    plan,
    program,
    s3,
    db,
    backup,
    bandwidth,
    wrong,
    firstRequest,
    onEnd: (undo) => undone.push(undo),
    isOver: () => program.child.exitCode !== null || program.child.signalCode !== null,
    over: end.signal,
  };
  const struckOnes = unleashOnRestore(scene, faults);
  const { ended, overdue } = await endOf(program, BOUND_MILLISECONDS);
  const seconds = (performance.now() - startedAt) / 1000;
  end.abort();

  const struck = await struckOnes();
  await Promise.all(undone.map((undo) => undo()));
  s3.faults.clear();
  s3.setBandwidth(undefined);
  const events = logLines(ended.stdout);
  const failures = events
    .filter(({ event }) => event === 'failed')
    .map(({ reason, exitCode }) => ({ reason: String(reason), exitCode: Number(exitCode) }));
  const isCompared = ended.code === EXIT.done || ended.code === EXIT.preflightRefused;
  const attempt: Attempt = {
    struck,
    exitCode: ended.code,
    signal: ended.signal,
    seconds,
    overdue,
    failures,
    saidDone: events.some(({ event }) => event === 'succeeded'),
    spokeNothing: ended.stdout === '' && ended.stderr === '',
    printedSecret: `${ended.stdout}${ended.stderr}`.includes(db.password),
    processes: processesWithVariable(token),
    wrong: await lookAtWrong({ db, s3, backup }, wrong),
    content: isCompared ? await contentFaults(db, backup) : undefined,
  };
  return { attempt, log: `${ended.stdout}${ended.stderr}` };
}

function environmentOf(
  { s3, target }: RestoreLab,
  plan: RestorePlan,
  backup: PreparedBackup,
  token: string,
): Record<string, string> {
  const [name = '', value = ''] = token.split('=');
  return {
    ...awsEnvironment({ s3: s3.endpoint }),
    [name]: value,
    BUCKET,
    SOURCE: backup.source,
    HOST: target.host,
    PORT: String(target.port),
    USERNAME: RESTORER,
    PASSWORD: target.password,
    THREADS: String(plan.threads),
    RESTORE_TRANSACTION_MB: String(plan.transactionMiB),
    RESTORE_CHECK: String(plan.check),
    UPLOAD_RETRY_SECONDS: String(plan.retrySeconds),
  };
}
