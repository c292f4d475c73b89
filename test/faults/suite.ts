import { afterAll, beforeAll, test } from 'vitest';
import { type BulkOptions, createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import type { FaultCase } from './case.ts';
import { endInTime, judge } from './judge.ts';
import { plantOthers } from './others.ts';
import { type Rows, rowsInServer } from './rows.ts';
import { createSetting } from './setting.ts';

/** A test for each case, against one database server and one database. */
export function testFaults(cases: readonly FaultCase[], size: Partial<BulkOptions> = {}): void {
  const bulk: BulkOptions = { name: 'bulk', megabytes: 14, tables: 2, rowBytes: 1000, ...size };
  let db: MariaDb;
  let held: Rows;

  beforeAll(async () => {
    db = await startMariaDb();
    await createBulkDatabase(db, bulk);
    held = await rowsInServer(db, bulk.name);
  });
  afterAll(() => db?.stop());

  test.each(cases)('$id: $fault', async (what) => {
    const database = what.database ?? bulk.name;
    const setting = await createSetting(db, database);
    try {
      await plantOthers(setting.world);
      await what.prepare?.(setting);
      const source = what.database === undefined ? held : await rowsInServer(db, database);
      const program = await what.run(setting);
      await judge(what, setting, await endInTime(program, what.longestSeconds), source);
    } finally {
      await what.cleanup?.(setting);
      await setting.end();
    }
  });
}

export function quick(cases: readonly FaultCase[]): FaultCase[] {
  return cases.filter(({ soak }) => soak !== true);
}
