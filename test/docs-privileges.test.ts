import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  LOCKING,
  type Outcome,
  type PrivilegeRow,
  READING,
} from '../app/database/privilege-table.ts';

const page = readFileSync(new URL('../docs/privileges.md', import.meta.url), 'utf8');

const MET: Readonly<Record<Outcome, string>> = {
  refused: 'refuses, exit 3',
  warned: 'warns',
  fine: 'says nothing',
};
const GENERATION = { classic: '0.10', modern: '1.x' } as const;
const MODES = 4;

function lineOf({ privilege, on, generations, locks, without, outcome }: PrivilegeRow): string {
  const mydumper = generations.map((generation) => GENERATION[generation]).join(', ');
  const modes = locks.length === MODES ? 'any' : locks.map((lock) => `\`${lock}\``).join(', ');
  return `| ${[privilege, on, mydumper, modes, without, MET[outcome]].join(' | ')} |`;
}

test('docs/privileges.md holds the table that decides in the program', () => {
  const [, body = ''] = /<!-- privileges -->\n([\s\S]*?)<!-- \/privileges -->/.exec(page) ?? [];
  expect(body.trim().split('\n').slice(2)).toEqual([...READING, ...LOCKING].map(lineOf));
});
