import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { buildManifest } from '../../app/manifest/build.ts';
import { MANIFEST_FORMAT, manifestSchema } from '../../app/manifest/schema.ts';
import { sampleInput } from './samples.ts';

type Path = readonly (string | number)[];
type Tree = { [name: string]: unknown } | unknown[];

const valid = () => JSON.parse(JSON.stringify(buildManifest(sampleInput))) as Tree;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null;

/** Every field at any depth; for a list only those of the first entry. */
function fieldsOf(value: unknown, path: Path = []): Path[] {
  if (!isTree(value)) return [];
  if (Array.isArray(value)) return fieldsOf(value[0], [...path, 0]);
  return Object.entries(value).flatMap(([name, inner]) => [
    [...path, name],
    ...fieldsOf(inner, [...path, name]),
  ]);
}

/** A valid manifest with one field changed, or removed when no value is given. */
function altered(path: Path, ...values: [] | [unknown]): unknown {
  const manifest = valid();
  let at: unknown = manifest;
  for (const name of path.slice(0, -1))
    at = isTree(at) ? (at as Record<string, unknown>)[name] : undefined;
  const last = String(path.at(-1));
  if (!isTree(at) || !(last in at)) throw new Error(`no field ${path.join('.')}`);
  if (values.length === 0) delete (at as Record<string, unknown>)[last];
  else (at as Record<string, unknown>)[last] = values[0];
  return manifest;
}

function valueAt(path: Path): unknown {
  return path.reduce(
    (at: unknown, name) => (isTree(at) ? (at as Record<string, unknown>)[name] : undefined),
    valid(),
  );
}

const accepts = (manifest: unknown) => manifestSchema.safeParse(manifest).success;
const FIELDS = fieldsOf(valid());
const named = FIELDS.map((path) => [path.join('.'), path] as const);

test('the manifest that the others are made from is accepted', () => {
  expect(accepts(valid())).toBe(true);
  expect(FIELDS.length).toBeGreaterThan(40);
});

test.each(named)('without %s it is refused', (_name, path) => {
  expect(accepts(altered(path))).toBe(false);
});

test.each(named)('with a value of another type in %s it is refused', (_name, path) => {
  const another = typeof valueAt(path) === 'boolean' ? 'true' : true;
  for (const wrong of [another, { unknown: 1 }, undefined])
    expect(accepts(altered(path, wrong))).toBe(false);
});

test.each<readonly [string, Path, readonly unknown[]]>([
  ['another format', ['format'], [0, 1, '2', MANIFEST_FORMAT + 1]],
  [
    'an id that is no second',
    ['backupId'],
    ['', '2026-11-22', '20261122T030000', 'x20261122T030000Z', '20261122T030000Z/'],
  ],
  ['another tool', ['tool', 'name'], ['mydumper', '']],
  ['another vendor', ['server', 'vendor'], ['postgres', 'MariaDB']],
  ['a time that is none', ['startedAt'], ['yesterday', '2026-11-22', 1_795_000_000]],
  ['a time without zone', ['finishedAt'], ['2026-11-22T03:10:00']],
  ['another lock', ['consistency', 'lock'], ['auto', 'FTWRL']],
  ['time that runs back', ['consistency', 'lockedSeconds'], [-1, '1']],
  ['another compression', ['compression'], ['lz4', '']],
  ['a size that is none', ['files', 0, 'dumpedBytes'], [-1, 1.5, '1', null]],
  ['a size that is none', ['files', 0, 'storedBytes'], [-1, 1.5, 2 ** 60]],
  ['a kind unknown', ['files', 0, 'kind'], ['index', 'Data']],
  ['a file without key', ['files', 0, 'key'], ['']],
  ['a file without name', ['files', 0, 'name'], ['']],
  [
    'a hash that is none',
    ['files', 0, 'sha256'],
    ['', 'ab'.repeat(31), 'AB'.repeat(32), `${'ab'.repeat(32)}\n`, 'xy'.repeat(32)],
  ],
  [
    'a checksum that is none',
    ['files', 0, 'crc32'],
    ['', 'y/Q5Jg=', 'y/Q5Jg==-3', 'y/Q5Jg==\n', 'cbf43926'],
  ],
  ['a position that is none', ['binlog', 'position'], [-1, 4.5, '4']],
  ['a part of a pause', ['staging', 'pauses'], [0.5, -1]],
  [
    'a setting that would end a statement',
    ['programs', 0, 'characterSetClient'],
    ["utf8'; DROP", 'a b'],
  ],
  ['a setting that would end a statement', ['programs', 0, 'sqlMode'], ["ANSI'", 'ANSI, ORACLE']],
  ['a setting that would end a statement', ['server', 'collation'], ['a;b', 'x'.repeat(65)]],
  ['a kind that is none', ['programs', 0, 'kind'], ['', 'PROCEDURE', 'a\nb']],
  ['flags that are none', ['narrowedBy'], ['--no-data', [1], [null]]],
])('%s is refused', (_what, path, wrong) => {
  for (const value of wrong) expect(accepts(altered(path, value))).toBe(false);
});

test('docs/manifest-format.md names every field and the values it may have', () => {
  const doc = readFileSync(new URL('../../docs/manifest-format.md', import.meta.url), 'utf8');
  const codes = new Set([...doc.matchAll(/`([^`]+)`/g)].map((match) => match[1]));
  for (const path of FIELDS) expect(codes, path.join('.')).toContain(path.at(-1));
  const { shape } = manifestSchema;
  const { kind } = shape.files.element.shape;
  for (const options of [
    shape.compression.options,
    shape.server.shape.vendor.options,
    shape.consistency.shape.lock.options,
    kind.options,
    ['procedure', 'function', 'package', 'package body', 'trigger', 'event'],
  ]) {
    for (const option of options) expect(codes).toContain(option);
  }
  expect(doc).toContain(`# manifest.json, format ${MANIFEST_FORMAT}`);
});
