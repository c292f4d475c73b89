import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EXIT_MEANINGS, METRICS } from '../app/contract.ts';
import { VARIABLES } from '../app/variables.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

function section(name: string): string[] {
  const [, body = ''] = new RegExp(`<!-- ${name} -->\n([^]*?)<!-- /${name} -->`).exec(readme) ?? [];
  return body.trim().split('\n').slice(2);
}

test('the README lists every variable with the default and meaning that --help gives', () => {
  expect(section('configuration')).toEqual(
    VARIABLES.map(({ name, default: value, meaning }) => `| \`${name}\` | ${value} | ${meaning} |`),
  );
});

test('the README lists every exit code', () => {
  expect(section('exit-codes')).toEqual(
    EXIT_MEANINGS.map(([code, meaning]) => `| ${code} | ${meaning} |`),
  );
});

test('the README names every metric', () => {
  for (const name of Object.keys(METRICS)) expect(readme).toContain(`\`${name}\``);
});
