import { expect } from 'vitest';
import { BUCKET, type World } from '../e2e/world.ts';
import type { ServerDescription } from '../support/mariadb/compare.ts';
import type { MariaDb } from '../support/mariadb/harness.ts';
import { type Ended, runProgram } from '../support/program.ts';

/** Makes a backup of the world's server and gives its folder's key, ending in a slash. */
export async function makeBackup(
  world: World,
  extra: Record<string, string> = {},
): Promise<string> {
  const before = new Set((await world.s3.objects(BUCKET)).map(({ key }) => key));
  const { code, stdout } = await runProgram(world.environment(extra), ['backup']);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const manifest = (await world.s3.objects(BUCKET)).find(
    ({ key }) => key.endsWith('/manifest.json') && !before.has(key),
  );
  return manifest?.key.replace(/manifest\.json$/, '') ?? '';
}

/** The environment in which a restore loads into `target`. */
export function into(
  world: World,
  target: MariaDb,
  extra: Record<string, string> = {},
): Record<string, string> {
  return world.environment({
    HOST: target.host,
    PORT: String(target.port),
    PASSWORD: target.password,
    ...extra,
  });
}

/** Runs `restore` into `target`. */
export function restoreInto(
  world: World,
  target: MariaDb,
  argv: readonly string[] = [],
  extra: Record<string, string> = {},
): Promise<Ended> {
  return runProgram(into(world, target, extra), ['restore', ...argv]);
}

/** Removes every database but the server's own. */
export async function dropAll(db: MariaDb): Promise<void> {
  const names = await db.query(
    `SELECT SCHEMA_NAME n FROM information_schema.SCHEMATA
     WHERE SCHEMA_NAME NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')`,
  );
  for (const { n } of names) await db.query(`DROP DATABASE \`${String(n).replaceAll('`', '``')}\``);
}

export async function databasesOf(db: MariaDb): Promise<string[]> {
  const names = await db.query(
    `SELECT SCHEMA_NAME n FROM information_schema.SCHEMATA
     WHERE SCHEMA_NAME NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')
     ORDER BY 1`,
  );
  return names.map(({ n }) => String(n));
}

/** A description as it would read if the database had another name. */
export function renamed(
  description: ServerDescription,
  from: string,
  to: string,
): ServerDescription {
  const rename = (text: string) => text.replaceAll(`\`${from}\``, `\`${to}\``);
  return {
    objects: Object.fromEntries(
      Object.entries(description.objects).map(([name, facts]) => [
        rename(name),
        Object.fromEntries(Object.entries(facts).map(([fact, text]) => [fact, rename(text)])),
      ]),
    ),
  };
}
