import { z } from 'zod';
import { type Manifest, manifestSchema } from './schema.ts';

const { shape } = manifestSchema;
const { shape: serverShape } = shape.server;

/** The fields that format 2 added, with their values for a manifest of format 1. */
const ADDED = {
  binlogMissingReason: null,
  databaseDefaults: null,
  narrowedBy: null,
  programs: null,
  programsUnseen: null,
  claim: null,
} as const;
const ADDED_TO_SERVER = {
  uuid: null,
  hostname: null,
  port: null,
  serverId: null,
  lowerCaseTableNames: null,
  characterSet: null,
  collation: null,
  timeZone: null,
  systemTimeZone: null,
  sqlMode: null,
  readOnly: null,
  innodbReadOnly: null,
  replica: null,
  replicaLagSeconds: null,
} as const;

/** Reads a manifest of format 1 as {@link Manifest}. */
export const manifestOfFormat1 = manifestSchema
  .omit({
    binlogMissingReason: true,
    databaseDefaults: true,
    narrowedBy: true,
    programs: true,
    programsUnseen: true,
    claim: true,
  })
  .extend({
    format: z.literal(1),
    server: z.object({ vendor: serverShape.vendor, version: serverShape.version }),
    files: z.array(shape.files.element.omit({ largestStatementBytes: true })),
  })
  .transform(
    ({ server, files, ...rest }): Manifest => ({
      ...rest,
      ...ADDED,
      server: { ...server, ...ADDED_TO_SERVER },
      files: files.map((file) => ({ ...file, largestStatementBytes: null })),
    }),
  );
