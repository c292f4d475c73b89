import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PAGE, readRecords, renderPage } from './record.ts';
import { ALL_ROWS } from './rows/all.ts';

test('docs/compatibility.md is what docs/compatibility/*.json say: npm run compat', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(renderPage(ALL_ROWS, readRecords()));
});

test('every row has a name of its own, and every record is of rows that there are', () => {
  const ids = ALL_ROWS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const record of readRecords()) {
    expect(Object.keys(record.rows).filter((id) => !ids.includes(id))).toEqual([]);
    // Backups are right, refused, or lack something that the run tells.
    const broken = ALL_ROWS.filter(
      ({ id, part }) => part === 'backup' && record.rows[id]?.result === 'fails',
    );
    expect(broken.map(({ id }) => id)).toEqual([]);
  }
});
