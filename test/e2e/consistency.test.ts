import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Manifest } from '../../app/manifest/schema.ts';
import { objectsOf, readOnlyManifest, unpackBackup } from '../support/backup-folder.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { rowNumbers } from '../support/mariadb/sql.ts';
import { loadWithMyloader } from '../support/mariadb/tools.ts';
import { logLines, startProgram } from '../support/program.ts';
import { startTransfers, type TransfersOptions } from '../support/transfers.ts';
import { BUCKET, startWorld, type World } from './world.ts';

const ACCOUNTS = 2000;
const BALANCE = 1000;
let db: MariaDb;
let copy: MariaDb;
let world: World;

/** Two tables between which money is moved; what both hold together never changes. */
async function createAccounts(engine: string): Promise<void> {
  await db.query('CREATE DATABASE bank');
  for (const table of ['checking', 'saving']) {
    await db.query(
      `CREATE TABLE bank.${table} (id int PRIMARY KEY, balance int NOT NULL, note char(200)) ` +
        `ENGINE=${engine}`,
    );
    await db.query(
      `INSERT INTO bank.${table} SELECT seq, ${BALANCE}, REPEAT('x', 200) FROM ` +
        `${rowNumbers(db, ACCOUNTS)}`,
    );
  }
}

async function loadedManifest(): Promise<Manifest> {
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  const target = join(world.directory, 'unpacked');
  await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
  expect(await loadWithMyloader(copy, target)).toMatchObject({ exitCode: 0, problems: [] });
  return manifest;
}

beforeAll(async () => {
  db = await startMariaDb();
  copy = await startMariaDb();
  // What RDS gives: no RELOAD, no SUPER, no BACKUP_ADMIN.
  await db.query("CREATE USER managed@'127.0.0.1' IDENTIFIED BY 'geheim'");
  await db.query(
    "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, PROCESS ON *.* TO managed@'127.0.0.1'",
  );
});
afterAll(async () => {
  await copy?.stop();
  await db?.stop();
});
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(async () => {
  for (const server of [db, copy])
    for (const name of ['bank', 'bulk']) await server.query(`DROP DATABASE IF EXISTS ${name}`);
  await world?.stop();
});

async function run(
  environment: Record<string, string>,
  by: TransfersOptions['by'] = 'transaction',
) {
  const transfers = await startTransfers(db, {
    accounts: ACCOUNTS,
    tables: ['bank.checking', 'bank.saving'],
    by,
  });
  const program = startProgram(world.environment(environment));
  onTestFinished(() => void program.child.kill('SIGKILL'));
  const { code, stdout } = await program.ended.finally(transfers.stop);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(transfers.count()).toBeGreaterThan(20);
  return { lines: logLines(stdout), manifest: await loadedManifest() };
}

const AS_ON_RDS = { USERNAME: 'managed', PASSWORD: 'geheim', STAGING_LIMIT_MB: '32' };

test('without RELOAD, as on RDS: a warning names MyISAM tables, and writers continue', async () => {
  await createAccounts('MyISAM');
  const { lines, manifest } = await run(AS_ON_RDS, 'table locks');
  expect(manifest.consistency.description).toMatch(/for transactional tables.*each other table/);
  const warnings = lines.filter(({ event }) => event === 'warning').map(({ message }) => message);
  expect(warnings).toEqual([expect.stringMatching(/bank\.checking.*bank\.saving.*InnoDB/)]);
});
