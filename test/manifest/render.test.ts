import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ZodError } from 'zod';
import { buildManifest } from '../../app/manifest/build.ts';
import { renderManifest } from '../../app/manifest/render.ts';
import { sampleInput, shippedFile } from './samples.ts';

const read = (body: Buffer): unknown => JSON.parse(body.toString('utf8'));

test('what is rendered reads as what was built, whatever files are called', () => {
  const file = fc
    .tuple(fc.string({ minLength: 1, unit: 'binary' }), fc.nat(), fc.nat())
    .map(([name, dumped, stored]) => shippedFile(name, dumped, stored));
  fc.assert(
    fc.property(fc.uniqueArray(file, { selector: ({ name }) => name, maxLength: 20 }), (files) => {
      const manifest = buildManifest({ ...sampleInput, files });
      expect(read(renderManifest(manifest))).toEqual(JSON.parse(JSON.stringify(manifest)));
    }),
    { numRuns: 30 },
  );
});

test.each([0, 1, 999, 1000, 1001, 2500])('with %i files, one to a line', (count) => {
  const files = Array.from({ length: count }, (_, index) => shippedFile(`shop.t.${index}.sql`, index, 1));
  const manifest = buildManifest({ ...sampleInput, files });
  const body = renderManifest(manifest);
  expect(read(body)).toEqual(manifest);
  const lines = body.toString('utf8').split('\n');
  expect(lines.filter((line) => line.includes('"sha256"'))).toHaveLength(count);
});

test('what would not pass for a manifest is not rendered', () => {
  const manifest = buildManifest(sampleInput);
  const [first, ...rest] = manifest.files;
  if (first === undefined) throw new Error('no files in the sample');
  expect(() => renderManifest({ ...manifest, files: [{ ...first, sha256: 'no' }, ...rest] })).toThrow(
    ZodError,
  );
  expect(() => renderManifest({ ...manifest, backupId: 'today' })).toThrow(ZodError);
});
