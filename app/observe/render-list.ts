import { describePartial, formatBytes, formatCount, formatDuration } from './format.ts';
import { oneLine } from './redact.ts';

export type ListedBackup = {
  readonly source: string;
  readonly backupId: string;
  readonly location: string;
  /** `incomplete`: no manifest, so it is not a backup: its run failed, or is under way. */
  readonly state: 'complete' | 'incomplete' | 'bad manifest';
  readonly fault?: string;
  readonly summary?: {
    readonly startedAt: string;
    readonly finishedAt: string;
    readonly seconds: number;
    readonly databases: readonly string[];
    readonly files: number;
    readonly dumpedBytes: number;
    readonly storedBytes: number;
    readonly compression: string;
    readonly lock: string;
    readonly consistency: string;
    readonly server: string;
    /**
     * Flags with which the dump holds less than the databases; null where the manifest does not
     * record them.
     */
    readonly narrowedBy: readonly string[] | null;
  };
};

/** The last column is empty for a whole backup. */
const HEADINGS = ['BACKUP', 'AGE', 'SOURCE', 'DATABASES', 'DUMPED', 'STORED', 'TOOK', 'LOCK', ''];
const SHOWN_DATABASES = 3;

/** A table for people, the newest last, where the eye is when it has been printed. */
export function renderList(
  backups: readonly ListedBackup[],
  where: string,
  now = Date.now(),
): string {
  if (backups.length === 0) return `no backups in ${where}\n`;
  const rows = [HEADINGS, ...backups.map((backup) => row(backup, now))];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((cells) => [...(cells[column] ?? '')].length)),
  );
  const complete = backups.filter(({ state }) => state === 'complete').length;
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${[...lines, `${formatCount(complete, 'backup')} in ${where}`].join('\n')}\n`;
}

function row({ backupId, source, state, fault, summary }: ListedBackup, now: number): string[] {
  const start = [backupId, age(backupId, now), oneLine(source)];
  if (summary === undefined)
    return [
      ...start,
      state === 'incomplete' ? 'incomplete: no manifest' : `bad manifest: ${oneLine(fault ?? '')}`,
    ];
  const { databases, dumpedBytes, storedBytes, seconds, lock, narrowedBy } = summary;
  const more = databases.length > SHOWN_DATABASES ? ` +${databases.length - SHOWN_DATABASES}` : '';
  return [
    ...start,
    `${databases.slice(0, SHOWN_DATABASES).map(oneLine).join(',')}${more}`,
    formatBytes(dumpedBytes),
    formatBytes(storedBytes),
    formatDuration(seconds),
    lock,
    describePartial(narrowedBy) ?? '',
  ];
}

function age(backupId: string, now: number): string {
  const iso = backupId.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const days = Math.floor((now - Date.parse(iso)) / 86_400_000);
  return days >= 2 ? `${days} days` : formatDuration((now - Date.parse(iso)) / 1000);
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - [...text].length));
}
