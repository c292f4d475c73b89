import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawRestorePlan } from '../../chaos/restore/draw.ts';
import { flipBit } from '../../chaos/restore/faults-s3.ts';
import { judgeRestore } from '../../chaos/restore/judge.ts';
import { openRestoreLab, type RestoreLab } from '../../chaos/restore/lab.ts';
import type { RestoreFault, RestorePlan } from '../../chaos/restore/plan.ts';
import { runRestorePlan } from '../../chaos/restore/run.ts';

let lab: RestoreLab;
beforeAll(async () => {
  lab = await openRestoreLab();
});
afterAll(() => lab?.stop());

const fault = (kind: RestoreFault['kind'], changes: Partial<RestoreFault> = {}): RestoreFault => ({
  kind,
  attempt: 0,
  moment: 'rows',
  delayMilliseconds: 0,
  milliseconds: 200,
  times: 1,
  pick: 1,
  ...changes,
});
const drawn = drawRestorePlan(1, 0);
const plan: RestorePlan = { ...drawn, transactionMiB: 1, threads: 2, retrySeconds: 20 };

test('a restore that is killed and then reads a wrong bit succeeds once that is over', async () => {
  const { seen } = await runRestorePlan(lab, {
    ...plan,
    faults: [
      fault('us-kill', { moment: 'started' }),
      fault('s3-wrong-object', { attempt: 1, moment: 'spawn' }),
    ],
  });
  expect(judgeRestore(seen)).toEqual([]);
  const [first, second, third] = seen.attempts;
  expect(first?.signal).toBe('SIGKILL');
  expect(second).toMatchObject({ exitCode: 8, wrong: [{ altered: true, rows: 0 }] });
  expect(third).toMatchObject({ exitCode: 0, content: [] });
});

test('the comparison sees one row that is there twice', async () => {
  const backup = await lab.backupOf(plan.shape);
  const { seen } = await runRestorePlan(lab, { ...plan, faults: [] });
  expect(seen.attempts.map(({ exitCode }) => exitCode)).toEqual([0]);
  await lab.target.query('DROP TRIGGER IF EXISTS shop.noted');
  const { contentFaults } = await import('../../chaos/restore/observe.ts');
  await lab.target.query('INSERT INTO shop.child SELECT * FROM shop.child LIMIT 1');
  expect((await contentFaults(lab.target, backup)).join()).toContain(
    '`child`: rows: "4" became "5"',
  );
});

test('a flipped bit is one bit, and the same flip restores the file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'flip-'));
  const path = join(directory, 'object');
  try {
    writeFileSync(path, Buffer.alloc(100));
    flipBit(path, 100, 123_457);
    const bits = [...readFileSync(path)].map((byte) => byte.toString(2).replaceAll('0', ''));
    expect(bits.join('')).toBe('1');
    flipBit(path, 100, 123_457);
    expect(readFileSync(path)).toEqual(Buffer.alloc(100));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
