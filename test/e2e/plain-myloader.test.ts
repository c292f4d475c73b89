import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { loadWithMyloader } from '../support/mariadb/tools.ts';
import { runProgram } from '../support/program.ts';
import { BUCKET, manifestKeys, startWorld, type World } from './world.ts';

// With mydumper and myloader 1.x first on the PATH the test shows the same for 1.x.

/** The warning of 1.x about a file that it does not know. */
const IGNORED = /Filename (?:claim|manifest)\.json has been ignored$/;

let world: World;
let copy: MariaDb;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb();
  await createBulkDatabase(world.db, { name: 'bulk', megabytes: 2, tables: 3 });
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});

test('plain myloader loads a copy of the folder, ignoring claim and manifest', async () => {
  const { code, stdout } = await runProgram(world.environment({ COMPRESS: 'none' }));
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const folder = (await manifestKeys(world))[0]?.replace(/[^/]*$/, '') ?? '';

  const target = join(world.directory, 'copy');
  mkdirSync(target);
  const names: string[] = [];
  for (const { key } of await world.s3.objects(BUCKET)) {
    names.push(key.slice(folder.length));
    writeFileSync(join(target, names.at(-1) ?? ''), await world.s3.readObject(BUCKET, key));
  }
  expect(names).toEqual(expect.arrayContaining(['claim.json', 'manifest.json', 'metadata']));

  const { exitCode, problems } = await loadWithMyloader(copy, target, { threads: 2 });
  expect({ exitCode, problems: problems.filter((line) => !IGNORED.test(line)) }).toEqual({
    exitCode: 0,
    problems: [],
  });
  const [before, after] = [
    await describeServer(world.db, ['bulk']),
    await describeServer(copy, ['bulk']),
  ];
  expect(differences(before, after)).toEqual([]);
});
