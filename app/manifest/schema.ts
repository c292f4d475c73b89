import { z } from 'zod';

export const MANIFEST_FORMAT = 2;

const bytes = z.int().nonnegative();
const seconds = z.number().nonnegative();
const text = z.string();
/** Null in a manifest of format 1, and when the server did not report a value. */
const textOrNull = text.nullable();
const countOrNull = bytes.nullable();
const yes = z.boolean().nullable();
/** Names that a restore puts into statements. */
const settingName = text.regex(/^[A-Za-z0-9_]{0,64}$/);
const sqlMode = text.regex(/^[A-Za-z0-9_,]*$/);
const crc32 = text.regex(/^[A-Za-z0-9+/]{6}==$/);

const file = z.object({
  /** Full key of the object. */
  key: text.min(1),
  /** mydumper's name for the file. myloader needs the file under this name. */
  name: text.min(1),
  kind: z.enum(['schema', 'data', 'view', 'triggers', 'post', 'metadata', 'other']),
  database: text.nullable(),
  table: text.nullable(),
  dumpedBytes: bytes,
  storedBytes: bytes,
  /** Of a data file, uncompressed, with its `;`. */
  largestStatementBytes: countOrNull,
  /** Hex SHA-256 of the dumped content, before compression. */
  sha256: text.regex(/^[0-9a-f]{64}$/),
  /** Base64 CRC-32 (FULL_OBJECT) of the stored object, as S3 acknowledged it. */
  crc32,
});

const program = z.object({
  /** `procedure`, `function`, `package`, `package body`, `trigger`, `event`. */
  kind: text.regex(/^[a-z ]{1,32}$/),
  database: text,
  name: text,
  /** Of a trigger. */
  table: textOrNull,
  definer: text,
  sqlMode,
  characterSetClient: settingName,
  collationConnection: settingName,
  databaseCollation: settingName,
  /** Of an event. */
  timeZone: textOrNull,
});

const server = z.object({
  vendor: z.enum(['mariadb', 'mysql']),
  version: text,
  /** Names the server, on MySQL. */
  uuid: textOrNull,
  /** These three name the server on MariaDB. */
  hostname: textOrNull,
  port: countOrNull,
  serverId: countOrNull,
  lowerCaseTableNames: countOrNull,
  characterSet: settingName.nullable(),
  collation: settingName.nullable(),
  /** Global values. */
  timeZone: textOrNull,
  systemTimeZone: textOrNull,
  sqlMode: sqlMode.nullable(),
  readOnly: yes,
  /** Of a reader of Aurora. */
  innodbReadOnly: yes,
  replica: yes,
  /** At the time of preflight. */
  replicaLagSeconds: countOrNull,
});

const claim = z.object({ key: text.min(1), storedBytes: bytes, crc32 });

/**
 * The manifest of a backup, written last: a backup exists if and only if it does. Described in
 * docs/manifest-format.md.
 */
export const manifestSchema = z.object({
  format: z.literal(MANIFEST_FORMAT),
  backupId: text.regex(/^\d{8}T\d{6}Z$/),
  source: text,
  tool: z.object({ name: z.literal('mydumper-fargate'), version: text }),
  server,
  mydumper: z.object({ version: text, arguments: z.array(text) }),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  binlog: z.object({ file: textOrNull, position: countOrNull, gtid: textOrNull }).nullable(),
  /** Why `binlog` is null. */
  binlogMissingReason: textOrNull,
  consistency: z.object({
    lock: z.enum(['ftwrl', 'lock-all', 'safe-no-lock', 'none']),
    description: text,
    lockedSeconds: seconds.nullable(),
  }),
  compression: z.enum(['none', 'gzip', 'zstd']),
  databases: z.array(text),
  databaseDefaults: z
    .array(z.object({ name: text, characterSet: settingName, collation: settingName }))
    .nullable(),
  /** Flags of MYDUMPER_ARGS that make the dump hold less than the databases. */
  narrowedBy: z.array(text).nullable(),
  programs: z.array(program).nullable(),
  /** Why `programs` may be incomplete. */
  programsUnseen: z.array(text).nullable(),
  /** The claim that reserved the folder for this run; null when none was written. */
  claim: claim.nullable(),
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

/** A manifest of any supported format. Fields that its format does not have are null. */
export type Manifest = Omit<z.infer<typeof manifestSchema>, 'format'> & { readonly format: 1 | 2 };
export type ManifestFile = z.infer<typeof file>;
export type ManifestClaim = z.infer<typeof claim>;
export type ManifestProgram = z.infer<typeof program>;
