import { Failure } from '../errors.ts';
import { contradictions, LARGEST_MANIFEST_BYTES, schemaFaults } from './read.ts';
import { type Manifest, manifestSchema } from './schema.ts';

const ENTRIES_AT_ONCE = 1000;

/** The schema for an entry of a long list, as the reader uses it. */
type EntrySchema = typeof manifestSchema.shape.files.element | typeof PROGRAM;

const { shape } = manifestSchema;
const FILE = shape.files.element;
const PROGRAM = shape.programs.unwrap().element;

/**
 * Renders the manifest for `folder`: JSON with one program and one file to a line. Runs the checks
 * of the reader first. Checks and writes the lists piece by piece, so a backup of very many files
 * needs no more memory than the result.
 * @throws Failure `dump` with the reasons when our own reader would refuse it.
 */
export function renderManifest(manifest: Manifest, folder: string): Buffer {
  const { files, programs, ...rest } = manifest;
  const head = manifestSchema.safeParse({ ...rest, programs: [], files: [] });
  if (!head.success) throw unreadable(schemaFaults(head.error));
  const pieces: Buffer[] = [Buffer.from(JSON.stringify(rest, null, 1).replace(/\n\}$/, ''))];
  pieces.push(Buffer.from(',\n "programs": '), ...renderList('programs', programs ?? [], PROGRAM));
  pieces.push(Buffer.from(',\n "files": '), ...renderList('files', files, FILE));
  pieces.push(Buffer.from('\n}\n'));
  const faults = contradictions(manifest, folder);
  if (faults.length > 0) throw unreadable(faults);
  const body = Buffer.concat(pieces);
  if (body.byteLength > LARGEST_MANIFEST_BYTES)
    throw unreadable([
      `it is ${body.byteLength} bytes, and no more than ${LARGEST_MANIFEST_BYTES} are read`,
    ]);
  return body;
}

function* renderList(
  name: string,
  entries: readonly object[],
  schema: EntrySchema,
): Generator<Buffer> {
  yield Buffer.from('[');
  for (let from = 0; from < entries.length; from += ENTRIES_AT_ONCE) {
    const lines = entries.slice(from, from + ENTRIES_AT_ONCE).map((entry, at) => {
      const parsed = schema.safeParse(entry);
      if (parsed.success) return JSON.stringify(parsed.data);
      throw unreadable(schemaFaults(parsed.error).map((fault) => `${name}.${from + at}.${fault}`));
    });
    yield Buffer.from(`${from === 0 ? '' : ','}\n  ${lines.join(',\n  ')}`);
  }
  yield Buffer.from('\n ]');
}

function unreadable(reasons: readonly string[]): Failure {
  return new Failure(
    'dump',
    `no manifest is written, since it could not be read back: ${reasons.join('; ')}`,
  );
}
