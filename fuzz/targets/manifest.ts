import assert from 'node:assert/strict';
import { dirname, resolve } from 'node:path';
import fc from 'fast-check';
import { readManifest } from '../../app/manifest/read.ts';
import {
  FOLDER,
  manifestFile as file,
  goodManifest,
  goodManifestOfFormat1,
} from '../../test/support/manifest.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** One manifest of each format that the program reads. */
const good = fc
  .constantFrom<Json>(goodManifest, goodManifestOfFormat1)
  .map((manifest) => structuredClone(manifest));

const odd: fc.Arbitrary<Json> = fc.oneof(
  hostileText(),
  fc.double(),
  fc.constantFrom<Json>(
    null,
    true,
    -1,
    0,
    2 ** 53,
    1e308,
    -0,
    [],
    {},
    'none',
    'gzip',
    ['shop', 'shop'],
    '\ud800',
    '..',
  ),
  fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as Json),
);

/** Sets, removes or repeats what is found by walking to a random place. */
const edit = fc.record({
  steps: fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
  how: fc.constantFrom('set', 'remove', 'repeat', 'proto'),
  odd,
});

function apply(
  root: Json,
  { steps, how, odd: to }: { steps: readonly number[]; how: string; odd: Json },
): void {
  let at = root;
  for (const [depth, step] of steps.entries()) {
    if (at === null || typeof at !== 'object') return;
    const names = Object.keys(at);
    const name = names[step % Math.max(1, names.length)];
    if (name === undefined) return;
    const inner = (at as Record<string, Json>)[name];
    if (depth < steps.length - 1 && typeof inner === 'object' && inner !== null) {
      at = inner;
      continue;
    }
    if (how === 'remove') delete (at as Record<string, Json>)[name];
    else if (how === 'repeat' && Array.isArray(at)) at.push(structuredClone(inner ?? null));
    else if (how === 'proto')
      Object.defineProperty(at, '__proto__', {
        value: to,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    else (at as Record<string, Json>)[name] = to;
    return;
  }
}

/** Consistent entries, under names that a reader must not trust. */
const named = fc
  .array(
    fc.tuple(
      hostileText(6),
      fc.constantFrom('', '.sql', '-schema.sql', '.dat', '-schema-create.sql'),
    ),
    {
      maxLength: 3,
    },
  )
  .map((list) =>
    list.map(([stem, end]) => {
      const name = `shop.${stem}${end}`;
      const kind =
        end === ''
          ? 'other'
          : end === '-schema.sql' || end === '-schema-create.sql'
            ? 'schema'
            : 'data';
      return kind === 'other' || end === '-schema-create.sql'
        ? file(name, kind, kind === 'other' ? null : `shop.${stem}`, null)
        : file(name, kind, 'shop', stem);
    }),
  );

const text = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(good, fc.array(edit, { maxLength: 3 }), named)
      .map(([whole, edits, more]) => {
        const root = whole as { files: Json[]; totals: Record<string, Json> };
        root.files.push(...more);
        root.totals = {
          files: root.files.length,
          dumpedBytes: 1000 * root.files.length,
          storedBytes: 100 * root.files.length,
        };
        for (const each of edits) apply(root as unknown as Json, each);
        return JSON.stringify(root);
      }),
  },
  { weight: 1, arbitrary: fc.json({ maxDepth: 6 }) },
  { weight: 1, arbitrary: hostileText(20) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '['.repeat(100_000),
      `{"format":1,"files":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      '{"a":'.repeat(50_000),
    ),
  },
);

/**
 * Any manifest is refused with reasons, or names only files within staging and objects of its
 * folder.
 */
export const manifest: Target = {
  name: 'manifest',
  quickCases: 400,
  open: () => ({
    property: fc.property(text, (json) => {
      const read = readManifest(json, FOLDER);
      assert.equal(Object.keys(Object.prototype).length, 0);
      if ('faults' in read) {
        assert(read.faults.length > 0 && read.faults.length <= 5);
        return;
      }
      const { files } = read.manifest;
      for (const { name, key } of files) {
        assert.equal(dirname(resolve('/staging', name)), '/staging');
        assert.equal(resolve('/staging', name), `/staging/${name}`);
        assert(
          Buffer.byteLength(name) <= 255 &&
            Buffer.from(name).toString() === name &&
            !name.includes('\0'),
        );
        assert(!name.startsWith('.mydumper-fargate'));
        assert(key.startsWith(FOLDER) && !key.slice(FOLDER.length).includes('/'));
      }
      const { claim, programs, databases } = read.manifest;
      assert(claim === null || claim.key === `${FOLDER}claim.json`);
      for (const program of programs ?? []) {
        assert(databases.includes(program.database) && program.name !== '');
        const { sqlMode, characterSetClient, collationConnection, databaseCollation } = program;
        for (const setting of [sqlMode, characterSetClient, collationConnection, databaseCollation])
          assert.match(setting, /^[\w,]*$/);
      }
      assert.equal(new Set(files.map(({ name }) => name)).size, files.length);
      assert.equal(new Set(files.map(({ key }) => key)).size, files.length);
    }),
  }),
};
