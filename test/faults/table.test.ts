import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EXIT_MEANINGS } from '../../app/contract.ts';
import { FAULTS, renderPage } from './table.ts';

const cases = Object.values(FAULTS).flat();

test('docs/reliability.md is what the cases say: npm run docs:reliability', () => {
  expect(readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8')).toBe(
    renderPage(),
  );
});

test('every case has a unique name, documented exit codes, and a reason if it may fail', () => {
  expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
  const documented = new Set(EXIT_MEANINGS.map(([code]) => code));
  for (const { id, exits, reason } of cases) {
    expect(
      exits.every((code) => documented.has(code)),
      id,
    ).toBe(true);
    if (exits.some((code) => code !== 0)) expect(reason, id).toBeInstanceOf(RegExp);
  }
});

test('every group is run: its quick cases here, its slow ones in the soak', () => {
  for (const group of Object.keys(FAULTS)) {
    const file = readFileSync(new URL(`./${group}.test.ts`, import.meta.url), 'utf8');
    expect(file).toContain(`testFaults(quick(${group}Faults)`);
  }
  const soak = readFileSync(new URL('../../soak/faults.test.ts', import.meta.url), 'utf8');
  expect(soak).toMatch(
    /Object\.values\(FAULTS\)\s*\.flat\(\)\s*\.filter\(\(\{ soak \}\) => soak === true\)/,
  );
});
