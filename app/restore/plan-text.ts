import type { Config } from '../config.ts';
import { describePartial, formatBytes, formatCount } from '../observe/format.ts';
import type { RestorePlan } from './open.ts';
import type { Selection } from './selection.ts';
import type { Progress } from './state.ts';
import { databaseIn, targetDatabases } from './target.ts';

/** What a restore would do or did, by kind. */
export function counts(selection: Selection): Readonly<Record<string, number>> {
  const views = new Set(
    selection.views.map(({ database, table }) => JSON.stringify([database, table])),
  );
  const isView = ({ database, table }: { database: string | null; table: string | null }) =>
    views.has(JSON.stringify([database, table]));
  return {
    databases: selection.databases.length,
    tables: selection.schemas.filter((file) => !isView(file)).length,
    views: selection.views.length,
    dataFiles: selection.data.length,
    dataBytes: selection.data.reduce((sum, { dumpedBytes }) => sum + dumpedBytes, 0),
  };
}

/** `--dry-run` for people; nothing of it is done. */
export function describePlan(
  { location, selection, manifest }: RestorePlan,
  config: Config,
  progress: Progress | undefined,
): string[] {
  const { as, overwrite } = config.reading.restore;
  const { server } = config;
  const count = counts(selection);
  const partial = describePartial(manifest.narrowedBy);
  const names = selection.databases.map((name) =>
    as === undefined
      ? JSON.stringify(name)
      : `${JSON.stringify(name)} as ${JSON.stringify(databaseIn({ as }, name))}`,
  );
  return [
    `would restore ${location}`,
    `  taken ${manifest.startedAt} from ${manifest.server.vendor} ${manifest.server.version}; ` +
      manifest.consistency.description,
    ...(partial === undefined ? [] : [`  ${partial}`]),
    `  into ${server.socket ?? `${server.host}:${server.port}`} ` +
      `over ${formatCount(config.dump.threads, 'connection')}`,
    `  databases: ${names.join(', ')}`,
    `  ${formatCount(count.tables ?? 0, 'table')}, ${formatCount(count.views ?? 0, 'view')}, ` +
      `rows in ${formatCount(count.dataFiles ?? 0, 'file')} ` +
      `of ${formatBytes(count.dataBytes ?? 0)}`,
    ...(overwrite
      ? [
          `  tables and views of these names in ${targetDatabases({ as }, selection)
            .map((name) => JSON.stringify(name))
            .join(', ')} would be replaced`,
        ]
      : []),
    ...(progress === undefined
      ? []
      : [`  resumes the restore begun at ${progress.startedAt} UTC, in phase ${progress.phase}`]),
  ];
}
