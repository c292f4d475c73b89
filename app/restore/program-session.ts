import type { Database } from '../database/connection.ts';
import type { Manifest } from '../manifest/schema.ts';
import type { Definition } from './definitions.ts';

type Program = NonNullable<Manifest['programs']>[number];

/** The settings that the backup recorded for a program; undefined before format 2. */
export function recordedProgram(
  programs: readonly Program[] | null,
  database: string | null,
  { kind, name }: Pick<Definition, 'kind' | 'name'>,
): Program | undefined {
  return programs?.find(
    (program) =>
      program.database === database && program.name === name && program.kind === kind.toLowerCase(),
  );
}

/**
 * Sets the SQL mode, and for an event the time zone, under which the program is created and will
 * run.
 * @returns modes that the server does not know.
 */
export async function beginProgram(
  { query }: Database,
  { kind, sqlMode, timeZone }: Program,
): Promise<string[]> {
  if (kind === 'event' && timeZone !== null) await query('SET SESSION time_zone = ?', [timeZone]);
  const setMode = (modes: readonly string[]) =>
    query('SET SESSION sql_mode = ?', [modes.join(',')]);
  const modes = sqlMode.split(',').filter((mode) => mode !== '');
  if (
    await setMode(modes).then(
      () => true,
      () => false,
    )
  )
    return [];
  const known: string[] = [];
  for (const mode of modes)
    if (
      await setMode([mode]).then(
        () => true,
        () => false,
      )
    )
      known.push(mode);
  await setMode(known);
  return modes.filter((mode) => !known.includes(mode));
}
