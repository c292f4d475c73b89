import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PAGE, readRecords, renderPage } from './record.ts';
import { ALL_ROWS } from './rows/all.ts';

test('docs/compatibility.md matches its records (npm run compat writes both)', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(renderPage(ALL_ROWS, readRecords()));
});

test('row ids are unique, and the records name existing rows only', () => {
  const ids = ALL_ROWS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const record of readRecords()) {
    expect(Object.keys(record.rows).filter((id) => !ids.includes(id))).toEqual([]);
    // A backup works, is refused, or is incomplete with a warning.
    const broken = ALL_ROWS.filter(
      ({ id, part }) => part === 'backup' && record.rows[id]?.result === 'fails',
    );
    expect(broken.map(({ id }) => id)).toEqual([]);
  }
});
