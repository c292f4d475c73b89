import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Program } from '../../app/database/programs.ts';
import { exitCodeOf, Failure } from '../../app/errors.ts';
import { buildManifest } from '../../app/manifest/build.ts';
import { readManifest } from '../../app/manifest/read.ts';
import { renderManifest } from '../../app/manifest/render.ts';
import type { Manifest } from '../../app/manifest/schema.ts';
import { FOLDER, sampleInput, shippedFile } from './samples.ts';

const parse = (body: Buffer): unknown => JSON.parse(body.toString('utf8'));
const metadata = shippedFile('metadata', 100, 90);

/** The reason for which rendering is refused. */
function refusal(manifest: Manifest, folder = FOLDER): Failure {
  try {
    renderManifest(manifest, folder);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was rendered');
}

test('a rendered manifest reads as it was built, regardless of the names in it', () => {
  const name = fc.string({ minLength: 1, maxLength: 60, unit: 'binary' });
  const file = fc
    .tuple(name, fc.nat({ max: 1000 }), fc.nat())
    .map(([text, dumped, stored]) => shippedFile(`${text}.x`, dumped, stored));
  const files = fc.uniqueArray(file, { selector: ({ name: each }) => each, maxLength: 20 });
  const [sample] = sampleInput.programs.list;
  if (sample === undefined) throw new Error('no program in the sample');
  const program = fc
    .tuple(name, name)
    .map(([text, definer]): Program => ({ ...sample, name: text, definer }));
  fc.assert(
    fc.property(files, fc.array(program, { maxLength: 5 }), (some, list) => {
      const programs = { list, unseen: [] };
      const manifest = buildManifest({ ...sampleInput, programs, files: [metadata, ...some] });
      let body: Buffer;
      try {
        body = renderManifest(manifest, FOLDER);
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
        expect(readManifest(JSON.stringify(manifest), FOLDER)).toHaveProperty('faults');
        return;
      }
      expect(parse(body)).toEqual(JSON.parse(JSON.stringify(manifest)));
      expect(readManifest(body.toString('utf8'), FOLDER)).toHaveProperty('manifest');
    }),
    { numRuns: 100 },
  );
});

test.each([0, 1, 999, 1000, 1001, 2500])('with %i files, one to a line', (count) => {
  const files = Array.from({ length: count }, (_, index) =>
    shippedFile(`shop.t.${index}.sql`, index, 1),
  );
  const manifest = buildManifest({ ...sampleInput, files: [metadata, ...files] });
  const body = renderManifest(manifest, FOLDER);
  expect(parse(body)).toEqual(manifest);
  const lines = body.toString('utf8').split('\n');
  expect(lines.filter((line) => line.includes('"sha256"'))).toHaveLength(count + 1);
});

test('with many programs, one to a line', () => {
  const list = Array.from({ length: 2500 }, () => sampleInput.programs.list).flat();
  const manifest = buildManifest({ ...sampleInput, programs: { list, unseen: [] } });
  const body = renderManifest(manifest, FOLDER);
  expect(parse(body)).toEqual(manifest);
  expect(
    body
      .toString('utf8')
      .split('\n')
      .filter((line) => line.includes('"definer"')),
  ).toHaveLength(7500);
});

const good = buildManifest(sampleInput);
const [first, ...rest] = good.files;
if (first === undefined) throw new Error('no files in the sample');
const [program] = good.programs ?? [];
if (program === undefined) throw new Error('no programs in the sample');

test.each<readonly [string, Manifest, RegExp]>([
  [
    'a hash that is none',
    { ...good, files: [{ ...first, sha256: 'no' }, ...rest] },
    /: files\.0\.sha256: /,
  ],
  ['an id that is none', { ...good, backupId: 'today' }, /: backupId: /],
  [
    'a folder of another source',
    { ...good, source: 'db2' },
    /: source is "db2", which is not its folder/,
  ],
  [
    'a database that was not asked for',
    { ...good, databases: ['a.b'] },
    /its database "shop" is not among those of the backup/,
  ],
  [
    'no metadata',
    { ...good, files: [first], totals: { ...good.totals } },
    /there is no file metadata/,
  ],
  [
    'a program with an odd setting',
    { ...good, programs: [{ ...program, sqlMode: "'" }] },
    /: programs\.0\.sqlMode: /,
  ],
])('%s is not written, and the dump failed for this reason', (_what, manifest, reason) => {
  const failure = refusal(manifest);
  expect(failure.message).toMatch(/^no manifest is written, since it could not be read back: /);
  expect(failure.message).toMatch(reason);
  expect(exitCodeOf(failure)).toBe(4);
});

test('a manifest with very many faults reports only a few', () => {
  const files = Array.from({ length: 5000 }, (_, index) => shippedFile(`..${index}/x`, 1, 1));
  const { message } = refusal(buildManifest({ ...sampleInput, files: [metadata, ...files] }));
  expect(message.split('; ')).toHaveLength(5);
});
