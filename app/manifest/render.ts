import { type Manifest, manifestSchema } from './schema.ts';

const FILES_AT_ONCE = 1000;

/**
 * The manifest as it is stored: JSON with one file to a line. Each piece is checked and written by itself, so that a backup of very many
 * files takes no more memory than the result.
 * @throws ZodError when it is none, which is a defect of this program.
 */
export function renderManifest(manifest: Manifest): Buffer {
  const { files, ...rest } = manifest;
  manifestSchema.parse({ ...rest, files: [] });
  const file = manifestSchema.shape.files.element;
  const pieces = [Buffer.from(`${JSON.stringify(rest, null, 1).replace(/\n\}$/, '')},\n "files": [`)];
  for (let from = 0; from < files.length; from += FILES_AT_ONCE) {
    const lines = files.slice(from, from + FILES_AT_ONCE).map((each) => JSON.stringify(file.parse(each)));
    pieces.push(Buffer.from(`${from === 0 ? '' : ','}\n  ${lines.join(',\n  ')}`));
  }
  pieces.push(Buffer.from('\n ]\n}\n'));
  return Buffer.concat(pieces);
}
