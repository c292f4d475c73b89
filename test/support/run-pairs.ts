import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Manifest, manifestSchema } from '../../app/manifest/schema.ts';
import { BUCKET, manifestKeys, startWorld, type World } from '../e2e/world.ts';
import { objectsOf, unpackBackup } from './backup-folder.ts';
import { type MariaDb, startMariaDb } from './mariadb/harness.ts';
import { type Ended, logLines, startProgram } from './program.ts';
import type { FaultRule } from './s3/server.ts';

const CLOCK = fileURLToPath(new URL('./set-clock.ts', import.meta.url));
const MIDNIGHT = Date.parse('2026-11-22T00:00:00.100Z');

/** Two concurrent runs under one SOURCE, each with its own server. */
export type Pair = {
  /** Milliseconds by which the second run's clock is ahead of the first one's. */
  readonly aheadMilliseconds: number;
  /** The fault that S3 has for the claims of both. */
  readonly fault?: Omit<FaultRule, 'operation' | 'key'>;
};

/** A server and the name that its rows have. */
type NamedServer = { readonly name: string; readonly db: MariaDb };

/** Starts two servers with the database `pair`, and a world, for a file of tests. */
export function usePairs(): {
  readonly servers: readonly NamedServer[];
  readonly world: () => World;
} {
  const servers: NamedServer[] = [];
  let world: World;
  beforeAll(async () => {
    for (const name of ['left', 'right']) {
      const db = await startMariaDb();
      servers.push({ name, db });
      await createPairDatabase(db, name);
    }
    const [first] = servers;
    world = await startWorld(first === undefined ? {} : { db: first.db });
  });
  afterAll(async () => {
    await world?.stop();
    for (const { db } of servers) await db.stop();
  });
  return { servers, world: () => world };
}

/** Makes the database `pair`, whose rows name their server. */
async function createPairDatabase(db: MariaDb, server: string): Promise<void> {
  await db.query('CREATE DATABASE pair');
  for (const table of ['a', 'b', 'c', server]) {
    await db.query(`CREATE TABLE pair.${table} (id int PRIMARY KEY, server text)`);
    await db.query(`INSERT INTO pair.${table} VALUES (1, 'row of ${server}')`);
  }
}

/**
 * Runs a pair and checks the result: two backups, each in a folder that holds one server's files
 * and nothing else. The two servers do not share locks.
 * @returns how often a folder was taken.
 */
export async function runPair(
  world: World,
  servers: readonly NamedServer[],
  { aheadMilliseconds, fault }: Pair,
  number: number,
): Promise<number> {
  const source = `pair-${number}`;
  const claims = { operation: 'PutObject', key: /claim\.json$/ } as const;
  const struck = fault === undefined ? undefined : world.s3.faults.add({ ...claims, ...fault });
  const programs = servers.map(({ name, db }, index) =>
    startProgram(
      world.environment({
        SOURCE: source,
        DATABASES: 'pair',
        PORT: String(db.port),
        HOST: db.host,
        USERNAME: db.user,
        PASSWORD: db.password,
        OUTPUTDIR: join(world.directory, `staging-${name}`),
        COMPRESS: 'none',
        METRICS_NAMESPACE: '',
        NODE_OPTIONS: `--import=${CLOCK}`,
        TEST_CLOCK: String(MIDNIGHT + index * aheadMilliseconds),
      }),
    ),
  );
  let ended: Ended[];
  try {
    ended = await Promise.all(programs.map((program) => program.ended));
  } finally {
    for (const { child } of programs) child.kill('SIGKILL');
    struck?.remove();
  }
  for (const { code, stdout, stderr } of ended)
    expect({ code, output: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, output: '' });
  if (struck !== undefined) expect(struck.hits, 'the fault has struck').toBeGreaterThan(0);
  await expectSeparateBackups(world, source, servers);
  return ended
    .flatMap(({ stdout }) => logLines(stdout))
    .filter(({ message }) => /is taken, by another run/.test(String(message))).length;
}

async function expectSeparateBackups(
  world: World,
  source: string,
  servers: readonly NamedServer[],
): Promise<void> {
  const keys = (await manifestKeys(world)).filter((key) => key.startsWith(`${source}/`));
  expect(keys).toHaveLength(servers.length);
  const ports = new Set<number | null>();
  for (const key of keys) {
    const manifest = await readManifest(world, key);
    const server = servers.find(({ db }) => db.port === manifest.server.port);
    expect(server).toBeDefined();
    ports.add(manifest.server.port);
    await expectOneServersFolder(world, key.replace(/[^/]*$/, ''), manifest, server?.name ?? '');
  }
  expect(ports.size).toBe(servers.length);
}

async function readManifest(world: World, key: string): Promise<Manifest> {
  return manifestSchema.parse(JSON.parse(String(await world.s3.readObject(BUCKET, key))));
}

/** Expects the manifest's files and no others in the folder, and only rows of one server. */
async function expectOneServersFolder(
  world: World,
  folder: string,
  manifest: Manifest,
  server: string,
): Promise<void> {
  const stored = (await world.s3.objects(BUCKET)).filter(({ key }) => key.startsWith(folder));
  expect(stored.map(({ key }) => key).toSorted()).toEqual(
    [
      ...manifest.files.map(({ key }) => key),
      `${folder}claim.json`,
      `${folder}manifest.json`,
    ].toSorted(),
  );
  const claim = stored.find(({ key }) => key === `${folder}claim.json`);
  expect(manifest.claim).toEqual({
    key: claim?.key,
    storedBytes: claim?.size,
    crc32: claim?.checksum.value,
  });
  const data = manifest.files.filter(({ kind }) => kind === 'data');
  expect(data.map(({ table }) => table).toSorted()).toEqual(['a', 'b', 'c', server].toSorted());
  for (const { key } of data)
    expect(String(await world.s3.readObject(BUCKET, key))).toContain(`row of ${server}`);
  const target = join(world.directory, 'unpacked', folder);
  await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
}
