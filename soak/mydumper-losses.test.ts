import { describe, expect, it } from 'vitest';
import { classicTool } from '../test/support/installed-tools.ts';
import { describeServer, differences } from '../test/support/mariadb/compare.ts';
import {
  createHostileTable,
  createNastyDatabases,
  createSilentLoss,
  hostileNames,
  silentLosses,
} from '../test/support/mariadb/dataset.ts';
import type { MariaDb } from '../test/support/mariadb/harness.ts';
import {
  DUMP_EVERYTHING,
  dropAll,
  dump,
  server,
  userDatabases,
} from '../test/support/mariadb/scratch.ts';
import { loadWithMyloader } from '../test/support/mariadb/tools.ts';

const DUMPING = { tool: classicTool('mydumper') };
const LOADING = { tool: classicTool('myloader') };

/**
 * Shows without this program the losses that docs/mydumper.md lists for Debian's tools. Update the
 * page when the tools change.
 */
describe('losses of mydumper and myloader 0.10', () => {
  it('occur, and are noticed where docs/mydumper.md says so', async () => {
    const plain = await Promise.all([server(), server()]);
    const cases = [
      ...hostileNames.map((which) => ({
        label: which.table,
        noticed: which.noticed,
        options: { config: [], plainInsert: false, remedy: undefined },
        make: (db: MariaDb) => createHostileTable(db, which),
      })),
      ...silentLosses.map((which) => ({
        label: which.id,
        noticed: which.noticed,
        options: {
          config: which.config ?? [],
          plainInsert: which.plainInsert ?? false,
          remedy: which.remedy,
        },
        make: async (db: MariaDb) => [await createSilentLoss(db, which)],
      })),
    ];
    for (const { label, noticed, options, make } of cases) {
      const config = options.config;
      const [a, b] =
        config.length > 0 ? await Promise.all([server({ config }), server({ config })]) : plain;
      const names = await make(a);
      const before = await describeServer(a, names);
      const args = options.plainInsert
        ? DUMP_EVERYTHING
        : [...DUMP_EVERYTHING, '--complete-insert'];
      const dumped = await dump(a, { ...DUMPING, args });
      const loaded = await loadWithMyloader(b, dumped.path, LOADING);
      if (noticed !== 'sometimes') {
        expect.soft(dumped.exitCode !== 0, `${label}: mydumper`).toBe(noticed === 'dump');
        if (noticed !== 'dump')
          expect.soft(loaded.problems.length > 0, `${label}: myloader`).toBe(noticed === 'load');
        const lost = differences(before, await describeServer(b, await userDatabases(b)), {
          exactBodies: true,
        });
        if (noticed === 'never') expect.soft(lost, `${label}: differences`).not.toEqual([]);
      }
      if (options.remedy !== undefined) {
        await dropAll(b);
        const again = await dump(a, {
          ...DUMPING,
          args,
          client: [`init-command=${options.remedy}`],
        });
        await loadWithMyloader(b, again.path, LOADING);
        expect
          .soft(differences(before, await describeServer(b, await userDatabases(b))))
          .toEqual([]);
      }
      if (config.length > 0) await Promise.all([a.stop(), b.stop()]);
      else await Promise.all([dropAll(a), dropAll(b)]);
    }
  });

  it('do not affect the nasty database, even without --complete-insert', async () => {
    const [a, b] = await Promise.all([server(), server()]);
    const names = await createNastyDatabases(a, { seed: 42 });
    const { path, exitCode } = await dump(a, { ...DUMPING, args: DUMP_EVERYTHING });
    expect(exitCode).toBe(0);
    expect(await loadWithMyloader(b, path, LOADING)).toMatchObject({ exitCode: 0, problems: [] });
    expect(differences(await describeServer(a, names), await describeServer(b, names))).toEqual([]);
  });
});
