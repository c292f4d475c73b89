import { Failure } from '../errors.ts';
import { unusedAuthority } from '../mydumper/tls.ts';
import { describePartial, formatBytes, formatCount, formatDuration } from '../observe/format.ts';
import type { CheckResult } from '../restore/check-result.ts';
import type { RestorePlan } from '../restore/open.ts';
import { counts, describePlan } from '../restore/plan-text.ts';
import type { Progress } from '../restore/state.ts';
import type { Target } from '../restore/target.ts';
import type { Reading } from './reading.ts';

export async function announce(
  { config, work }: Reading,
  { location, selection, manifest }: RestorePlan,
  { database }: Target,
  progress: Progress | undefined,
): Promise<void> {
  const { databases: _, ...count } = counts(selection);
  const into = config.server.socket ?? `${config.server.host}:${config.server.port}`;
  work.emit('started', {
    message: `restoring ${location} into ${into}`,
    detail: {
      location,
      into,
      databases: selection.databases,
      ...count,
    },
  });
  if (progress !== undefined) {
    const message =
      `resuming the restore begun at ${progress.startedAt} UTC ` +
      `and last worked at ${progress.workedAt} UTC, in phase ${progress.phase}`;
    work.emit('notice', { message });
  }
  const { unused } = config.reading.restore;
  if (unused.length > 0) {
    const are = unused.length === 1 ? 'is' : 'are';
    const message = `${unused.join(', ')} ${are} set and not used: a restore needs no disk`;
    work.emit('notice', { message: `${message} and no myloader` });
  }
  const [row] = await database.query('SELECT @@GLOBAL.event_scheduler AS scheduler');
  if (String(row?.scheduler) === 'ON' && selection.post.length > 0)
    work.emit('warning', {
      message: 'event_scheduler is ON: events that are due run as soon as they are created',
    });
  for (const message of unusedAuthority(config.server.tls)) work.emit('warning', { message });
  const partial = describePartial(manifest.narrowedBy);
  if (partial !== undefined) work.emit('warning', { message: `the backup is ${partial}` });
  if (manifest.consistency.lock === 'none')
    work.emit('warning', {
      message: 'the backup was taken without locks: its tables may not agree with each other',
    });
}

export function reportPlan(
  { config, work }: Reading,
  plan: RestorePlan,
  progress: Progress | undefined,
): void {
  const lines = describePlan(plan, config, progress);
  const { location, selection, manifest } = plan;
  const files = [
    selection.creates,
    selection.schemas,
    selection.data,
    selection.post,
    selection.views,
    selection.triggers,
  ];
  if (config.reading.json) {
    const document = {
      dryRun: true,
      location,
      ...counts(selection),
      databases: selection.databases,
      narrowedBy: manifest.narrowedBy,
      files: files.flat().map(({ name }) => name),
    };
    process.stdout.write(`${JSON.stringify(document)}\n`);
  }
  work.emit('succeeded', { lines, detail: { dryRun: true, location } });
}

export function reportDone(
  { config, work }: Reading,
  { location, selection, manifest }: RestorePlan,
  checked: CheckResult | undefined,
  seconds: number,
): void {
  const count = counts(selection);
  const faults = checked?.faults ?? [];
  const result = {
    ok: faults.length === 0,
    location,
    backupId: manifest.backupId,
    ...count,
    seconds,
    check: checked ?? null,
  };
  if (config.reading.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  const tables = formatCount(count.tables ?? 0, 'table');
  const views = formatCount(count.views ?? 0, 'view');
  const lines = [
    `backup ${manifest.backupId} is restored: ${location}`,
    `  ${tables}, ${views}, ${formatBytes(count.dataBytes ?? 0)} of rows ` +
      `in ${formatDuration(seconds)}`,
    ...(checked?.lines ?? ['  not compared with the backup: --check would']),
  ];
  if (faults.length > 0) {
    for (const fault of faults) work.emit('fault', fault);
    throw new Failure('verification', [
      ...lines,
      ...faults.slice(0, 10).map(({ key, reason }) => `${key}: ${reason}`),
      `${formatCount(faults.length, 'fault')}: ` +
        'everything was loaded, but not all of it matches the backup',
    ]);
  }
  work.emit('succeeded', {
    lines,
    detail: { location, ...count, seconds, checked: checked !== undefined },
  });
}
