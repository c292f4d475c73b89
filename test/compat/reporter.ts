import { writeFileSync } from 'node:fs';
import type { Reporter } from 'vitest/node';
import type { Cell } from './cell.ts';
import { PAGE, readRecords, renderPage, writeRecord } from './record.ts';
import type { Outcome } from './row.ts';
import { ALL_ROWS } from './rows/all.ts';

/**
 * Prints each row's outcome. After a run of all rows it writes the cell's record and
 * docs/compatibility.md, unless COMPAT_RECORD is `no`.
 */
export function compatReporter(): Reporter {
  const outcomes = new Map<string, Outcome>();
  let ran: Cell | undefined;
  return {
    onTestCaseResult(test) {
      const { compat } = test.meta();
      if (compat === undefined) return;
      const { cell, id, outcome } = compat;
      ran = cell;
      outcomes.set(id, outcome);
      const note = outcome.note === undefined ? '' : `: ${outcome.note}`;
      process.stdout.write(`compat: ${id}: ${outcome.result}${note}\n`);
    },
    onTestRunEnd() {
      if (ran !== undefined && process.env.COMPAT_RECORD !== 'no')
        process.stdout.write(`compat: ${write(ran, outcomes)}\n`);
    },
  };
}

function write(cell: Cell, outcomes: ReadonlyMap<string, Outcome>): string {
  const vendor = cell.server.startsWith('MariaDB') ? 'mariadb' : 'mysql';
  const ids = ALL_ROWS.filter(({ only }) => only === undefined || only === vendor).map(
    ({ id }) => id,
  );
  const missing = ids.filter((id) => !outcomes.has(id));
  if (missing.length > 0)
    return `nothing written, as these rows were not run: ${missing.join(', ')}`;
  const rows = Object.fromEntries(
    [...outcomes].toSorted(([a], [b]) => ids.indexOf(a) - ids.indexOf(b)),
  );
  const path = writeRecord({ ...cell, date: new Date().toISOString().slice(0, 10), rows });
  writeFileSync(PAGE, renderPage(ALL_ROWS, readRecords()));
  return `wrote ${path} and docs/compatibility.md`;
}
