import { expect, test } from 'vitest';
import { z } from 'zod';
import { buildManifest } from '../../app/manifest/build.ts';
import { renderManifest } from '../../app/manifest/render.ts';
import { manifestSchema } from '../../app/manifest/schema.ts';
import { FOLDER, sampleInput } from '../manifest/samples.ts';

// A contract: old backups are read with this schema, and other programs read it too. Change it on
// purpose only: with the format's number, docs/manifest-format.md and the changelog.
//
// test/manifest/schema.test.ts shows the manifests that a reader refuses.

test('the schema of the manifest', () => {
  const schema = z.toJSONSchema(manifestSchema, {
    override: ({ jsonSchema }) => {
      // Zod's own pattern of a date changes with its releases.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  expect(schema).toMatchSnapshot();
});

test('a manifest as it is stored, byte for byte', async () => {
  const stored = renderManifest(buildManifest(sampleInput), FOLDER).toString('utf8');
  await expect(stored).toMatchFileSnapshot('__snapshots__/manifest.txt');
});
