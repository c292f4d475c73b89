import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { settingsSchema } from '../../infra/config.ts';

const deploy = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');

/** Every key of the configuration, however deep. */
function keysOf(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(keysOf);
  if (typeof node !== 'object' || node === null) return [];
  const { properties = {}, ...rest } = node as { properties?: Record<string, unknown> };
  return [
    ...Object.keys(properties),
    ...Object.values(properties).flatMap(keysOf),
    ...Object.values(rest).flatMap(keysOf),
  ];
}

test('docs/deploy.md names every key that cdk.json may hold', () => {
  const keys = new Set(
    keysOf(z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' })),
  );
  expect(keys.size).toBeGreaterThan(50);
  for (const key of keys) expect(deploy).toMatch(new RegExp(`["\`]${key}["\`]`));
});
