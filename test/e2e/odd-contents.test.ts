import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { backUp, expectSameAsSql, expectSameByMyloader } from '../compat/runs.ts';
import { generationOf } from '../support/installed-tools.ts';
import { describeServer } from '../support/mariadb/compare.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { dropAll } from '../support/mariadb/scratch.ts';
import { serverProgram } from '../support/mariadb/server-program.ts';
import { type Contents, ODD_CONTENTS } from './odd-contents.ts';
import { startWorld, type World } from './world.ts';

const by = { generation: generationOf(), ...(await serverProgram()) };

let db: MariaDb;
let copy: MariaDb;
let world: World;
beforeAll(async () => {
  db = await startMariaDb({ config: by.vendor === 'mysql' ? ['federated'] : [] });
  copy = await startMariaDb();
  world = await startWorld({ db });
});
afterEach(async () => {
  await dropAll(db);
  await dropAll(copy);
});
afterAll(async () => {
  await world?.stop();
  await copy?.stop();
  await db?.stop();
});

async function create({ statements }: Contents): Promise<void> {
  const connection = await db.connect();
  try {
    await connection.query('CREATE DATABASE odd CHARACTER SET utf8mb4');
    await connection.query('USE odd');
    await connection.query("SET SESSION time_zone = '+00:00', sql_mode = ''");
    for (const statement of statements)
      await connection.query(statement.replaceAll(':PORT', `:${db.port}`));
  } finally {
    await connection.end();
  }
}

test.each(ODD_CONTENTS.filter(({ only }) => only === undefined || only === by.vendor))(
  '$title: the backup is intact, or refused or warned of before the dump',
  async (contents) => {
    await create(contents);
    const refusal = contents.refused?.(by);
    if (refusal !== undefined) {
      await expect(backUp(world, {})).rejects.toMatchObject({
        name: 'Refused',
        message: expect.stringMatching(refusal),
      });
      return;
    }
    const before = await describeServer(db, ['odd']);
    const backup = await backUp(world, {});
    const warning = contents.warned?.(by);
    if (warning !== undefined) {
      expect(backup.warnings).toContainEqual(expect.stringMatching(warning));
      return;
    }
    expect(backup.warnings.filter((line) => line.includes('odd.'))).toEqual([]);
    await expectSameAsSql(world, copy, backup, before);
    await expectSameByMyloader(world, copy, backup, before);
  },
);

if (by.vendor === 'mariadb') {
  test('directories that MariaDB lists as databases (lost+found) are left out', async () => {
    await db.query('CREATE DATABASE shop');
    await db.query('CREATE TABLE shop.t (a int)');
    const directories = ['lost+found', '.snapshot'].map((name) => join(db.dir, 'data', name));
    try {
      for (const directory of directories) mkdirSync(directory);
      const listed = await db.query('SHOW DATABASES');
      expect(listed.map(({ Database }) => Database)).toContain('#mysql50#lost+found');
      const { manifest } = await backUp(world, { SOURCE: 'directories' });
      expect(manifest.databases).toEqual(['shop']);
      expect(manifest.files.filter(({ name }) => name.includes('mysql50'))).toEqual([]);
    } finally {
      for (const directory of directories) rmdirSync(directory);
    }
  });
}
