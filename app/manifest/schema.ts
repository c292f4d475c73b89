import { z } from 'zod';

export const MANIFEST_FORMAT = 1;

const bytes = z.int().nonnegative();
const seconds = z.number().nonnegative();
const text = z.string();

const file = z.object({
  /** Full key of the object. */
  key: text.min(1),
  /** mydumper's name for the file, what it must be called for myloader. */
  name: text.min(1),
  kind: z.enum(['schema', 'data', 'view', 'triggers', 'post', 'metadata', 'other']),
  database: text.nullable(),
  table: text.nullable(),
  dumpedBytes: bytes,
  storedBytes: bytes,
  /** Hex SHA-256 of the dumped content, before compression. */
  sha256: text.regex(/^[0-9a-f]{64}$/),
  /** Base64 CRC-32 (FULL_OBJECT) of the stored object, as S3 acknowledged it. */
  crc32: text.regex(/^[A-Za-z0-9+/]{6}==$/),
});

/** The manifest of a backup, written last: a backup exists if and only if it does. Described in docs/manifest-format.md. */
export const manifestSchema = z.object({
  format: z.literal(MANIFEST_FORMAT),
  backupId: text.regex(/^\d{8}T\d{6}Z$/),
  source: text,
  tool: z.object({ name: z.literal('mydumper-fargate'), version: text }),
  server: z.object({ vendor: z.enum(['mariadb', 'mysql']), version: text }),
  mydumper: z.object({ version: text, arguments: z.array(text) }),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  binlog: z.object({ file: text.nullable(), position: bytes.nullable(), gtid: text.nullable() }).nullable(),
  consistency: z.object({
    lock: z.enum(['ftwrl', 'lock-all', 'safe-no-lock', 'none']),
    description: text,
    lockedSeconds: seconds.nullable(),
  }),
  compression: z.enum(['none', 'gzip', 'zstd']),
  databases: z.array(text),
  files: z.array(file),
  totals: z.object({ files: bytes, dumpedBytes: bytes, storedBytes: bytes }),
  staging: z.object({
    budgetBytes: bytes,
    peakStagedBytes: bytes,
    pauses: bytes,
    pausedSeconds: seconds,
    longestPauseSeconds: seconds,
    /** Of the paused seconds, those during which mydumper held locks. */
    lockedPausedSeconds: seconds,
  }),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestFile = z.infer<typeof file>;
