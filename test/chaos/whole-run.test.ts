import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawPlan } from '../../chaos/draw.ts';
import { judge } from '../../chaos/judge.ts';
import { type Lab, openLab } from '../../chaos/lab.ts';
import type { FaultPlan, Plan } from '../../chaos/plan.ts';
import { runPlan } from '../../chaos/run.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(() => lab?.stop());

const fault = (kind: FaultPlan['kind'], changes: Partial<FaultPlan> = {}): FaultPlan => ({
  kind,
  moment: 'started',
  delayMilliseconds: 0,
  milliseconds: 200,
  times: 2,
  pick: 0,
  ...changes,
});
const drawn = drawPlan(1, 0);
const small: Plan = {
  ...drawn,
  tables: drawn.tables.map((table) => ({ ...table, rows: Math.min(table.rows, 2000) })),
  smallDiskMiB: undefined,
  budgetMiB: 8,
  bandwidthBytesPerSecond: 4e6,
};

test('a run that rides its faults out is judged by loading what it has stored', async () => {
  const { seen } = await runPlan(lab, {
    ...small,
    faults: [fault('s3-503'), fault('s3-lost-manifest')],
  });
  expect(judge(seen)).toEqual([]);
  expect(seen).toMatchObject({ exitCode: 0, faultsOfBackup: [] });
  expect(seen.struck.map(({ kind }) => kind)).toEqual(['s3-503', 's3-lost-manifest']);
});

test('a run that is killed leaves nothing that the next one does not clear', async () => {
  const { seen } = await runPlan(lab, {
    ...small,
    faults: [fault('us-kill', { delayMilliseconds: 300 })],
  });
  expect(judge(seen)).toEqual([]);
  expect(seen).toMatchObject({ signal: 'SIGKILL', nextRun: { exitCode: 0, left: [] } });
});
