import { constants } from 'node:buffer';
import { z } from 'zod';
import type { Compression } from '../config.ts';
import { CLAIM_NAME } from '../contract.ts';
import { classifyFile } from '../mydumper/file-names.ts';
import { EXTENSIONS } from '../shipping/content.ts';
import { isOurs } from '../staging/directory.ts';
import { MANIFEST_FORMAT, type Manifest, type ManifestFile, manifestSchema } from './schema.ts';
import { manifestOfFormat1 } from './schema-1.ts';

/**
 * Enough for a million files: no backup writes a larger manifest. The reader holds it as one
 * string.
 */
export const LARGEST_MANIFEST_BYTES = Math.min(512 * 1024 * 1024, constants.MAX_STRING_LENGTH);
/** S3's largest object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const LARGEST_OBJECT_BYTES = 50 * 1024 ** 4;
/** On SQL, zstd and gzip stay far below this: no run of equal bytes is longer than a row. */
const HIGHEST_RATIO = 100_000;
/** NAME_MAX of Linux file systems, in bytes. */
const LONGEST_NAME_BYTES = 255;
const SHOWN_FAULTS = 5;

export type ReadManifest =
  | { readonly manifest: Manifest }
  /** The reasons to distrust it, a few at most. */
  | { readonly faults: readonly string[] };

const anyFormat = z.object({ format: z.unknown() });

/**
 * Reads a manifest from an untrusted writer: a restore creates files of these names and loads their
 * content. Pure. `folder` is the key of its folder, ending in a slash.
 */
export function readManifest(text: string, folder: string): ReadManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { faults: ['it is not JSON'] };
  }
  const format = anyFormat.safeParse(json).data?.format;
  if (typeof format === 'number' && format > MANIFEST_FORMAT) {
    return {
      faults: [
        `its format is ${format}, from a later version; ` +
          `this one reads up to ${MANIFEST_FORMAT}, so update it`,
      ],
    };
  }
  const parsed = (format === 1 ? manifestOfFormat1 : manifestSchema).safeParse(json);
  if (!parsed.success) return { faults: schemaFaults(parsed.error) };
  const faults = contradictions(parsed.data, folder);
  return faults.length === 0 ? { manifest: parsed.data } : { faults };
}

/** The faults that the schema reports, a few at most. */
export function schemaFaults({ issues }: z.ZodError): string[] {
  return issues
    .slice(0, SHOWN_FAULTS)
    .map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
}

/**
 * The places, a few at most, where a manifest of the right form contradicts its folder or itself.
 * Pure.
 */
export function contradictions(manifest: Manifest, folder: string): string[] {
  const faults: string[] = [];
  for (const fault of allContradictions(manifest, folder)) {
    faults.push(fault);
    if (faults.length === SHOWN_FAULTS) break;
  }
  return faults;
}

function* allContradictions(manifest: Manifest, folder: string): Generator<string> {
  const { files, totals, databases, backupId, source, claim } = manifest;
  const segments = folder.split('/');
  if (segments.at(-2) !== backupId) yield `backupId is ${show(backupId)}, which is not its folder`;
  if (segments.at(-3) !== source) yield `source is ${show(source)}, which is not its folder`;
  if (claim !== null && claim.key !== `${folder}${CLAIM_NAME}`)
    yield `claim is ${show(claim.key)}, which is not in the folder`;
  for (const name of databases) if (!isPlain(name)) yield `the database name ${show(name)} is none`;

  const known = new Set(databases);
  for (const { name } of manifest.databaseDefaults ?? [])
    if (!known.has(name))
      yield `databaseDefaults: ${show(name)} is not among the databases of the backup`;
  for (const program of manifest.programs ?? []) {
    const what = `${program.kind} ${show(`${program.database}.${program.name}`)}`;
    if (!known.has(program.database))
      yield `${what}: its database is not among those of the backup`;
    if (!isPlain(program.name) || (program.table !== null && !isPlain(program.table)))
      yield `${what}: its name is none`;
  }
  const names = new Set<string>();
  for (const file of files) {
    const fault = faultOf(file, manifest.compression, folder, known);
    if (fault !== undefined) yield `file ${show(file.name)}: ${fault}`;
    if (names.has(file.name)) yield `file ${show(file.name)} is there twice`;
    names.add(file.name);
  }
  if (!names.has('metadata')) yield 'there is no file metadata, so the dump was not finished';
  const sum = (field: 'dumpedBytes' | 'storedBytes') =>
    files.reduce((all, file) => all + file[field], 0);
  if (totals.files !== files.length)
    yield `totals.files is ${totals.files}, there are ${files.length}`;
  for (const field of ['dumpedBytes', 'storedBytes'] as const) {
    if (totals[field] !== sum(field))
      yield `totals.${field} is ${totals[field]}, the sum is ${sum(field)}`;
  }
}

function faultOf(
  file: ManifestFile,
  compression: Compression,
  folder: string,
  databases: ReadonlySet<string>,
): string | undefined {
  const { name, key, dumpedBytes, storedBytes } = file;
  if (name === '.' || name === '..' || name.includes('/') || name.includes('\0') || isOurs(name))
    return 'its name is not that of a file of a dump';
  // Node writes a lone surrogate as the replacement character, so two such names would make one
  // file.
  if (!name.isWellFormed()) return 'its name is not Unicode';
  if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) return 'its name is too long';
  if (key !== `${folder}${name}${EXTENSIONS[compression]}`)
    return `its key ${show(key)} is not in the folder`;
  const named = classifyFile(name, databases);
  if (
    named.kind !== file.kind ||
    (named.database ?? null) !== file.database ||
    (named.table ?? null) !== file.table
  )
    return 'kind, database and table are not what its name says';
  if (file.database !== null && !databases.has(file.database))
    return `its database ${show(file.database)} is not among those of the backup`;
  if ((file.largestStatementBytes ?? 0) > dumpedBytes)
    return 'its largest statement is larger than the file';
  if (storedBytes > LARGEST_OBJECT_BYTES || dumpedBytes > LARGEST_OBJECT_BYTES)
    return 'its size is absurd';
  if (compression === 'none' && storedBytes !== dumpedBytes)
    return 'its two sizes differ without compression';
  if (dumpedBytes > (storedBytes + 1) * HIGHEST_RATIO)
    return 'its size is absurd for what is stored';
  return undefined;
}

/**
 * Whether MySQL accepts this as a name, as far as quoting needs it: Unicode, no NUL, and not too
 * long.
 */
function isPlain(name: string): boolean {
  return name !== '' && [...name].length <= 64 && !name.includes('\0') && name.isWellFormed();
}

function show(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
