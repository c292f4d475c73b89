import type { Config } from '../config.ts';
import type { Inventory } from '../database/inventory.ts';
import type { LockChoice } from '../database/locking.ts';
import type { Programs } from '../database/programs.ts';
import type { ServerFacts } from '../database/server-facts.ts';
import type { WatchStats } from '../governor/protocol.ts';
import { narrowingFlags } from '../mydumper/extra-arguments.ts';
import { classifyFile } from '../mydumper/file-names.ts';
import type { DumpMetadata } from '../mydumper/metadata.ts';
import type { MydumperVersion } from '../mydumper/version.ts';
import type { ShippedFile } from '../shipping/shipper.ts';
import type { StoredObject } from '../storage/object-store.ts';
import { MANIFEST_FORMAT, type Manifest } from './schema.ts';

export type ManifestInput = {
  readonly config: Config;
  readonly toolVersion: string;
  readonly backupId: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly inventory: Inventory;
  readonly facts: ServerFacts;
  readonly programs: Programs;
  /** How the programs of the dump differ from these. */
  readonly programDifferences: readonly string[];
  /** Why mydumper can record no binary log position. Undefined when it can. */
  readonly positionUnavailable: string | undefined;
  readonly mydumper: MydumperVersion;
  /** The argv of mydumper, without secrets. */
  readonly mydumperArguments: readonly string[];
  readonly lock: LockChoice;
  /** How long mydumper held its locks, if its log reports it. */
  readonly lockedSeconds: number | undefined;
  readonly metadata: DumpMetadata;
  /** The claim that reserved the folder for this run. */
  readonly claim: StoredObject;
  readonly files: readonly ShippedFile[];
  readonly stats: WatchStats;
};

const NO_POSITION = 'mydumper recorded none';

/**
 * Builds the manifest from the facts of a run. Orders files by name, so that two manifests compare
 * well.
 */
export function buildManifest(input: ManifestInput): Manifest {
  const { config, inventory, facts, metadata, stats } = input;
  const databases = new Set(inventory.databases);
  const files = input.files
    .map(
      ({ name, key, dumpedBytes, storedBytes, largestStatementBytes: largest, sha256, crc32 }) => {
        const { kind, database = null, table = null } = classifyFile(name, databases);
        const largestStatementBytes = kind === 'data' ? largest : null;
        const sizes = { dumpedBytes, storedBytes, largestStatementBytes };
        return { key, name, kind, database, table, ...sizes, sha256, crc32 };
      },
    )
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  const total = (field: 'dumpedBytes' | 'storedBytes') =>
    files.reduce((sum, file) => sum + file[field], 0);
  return {
    format: MANIFEST_FORMAT,
    backupId: input.backupId,
    source: config.source,
    tool: { name: 'mydumper-fargate', version: input.toolVersion },
    server: {
      vendor: inventory.vendor,
      version: inventory.version,
      uuid: facts.uuid ?? null,
      hostname: facts.hostname ?? null,
      port: facts.port ?? null,
      serverId: facts.serverId ?? null,
      lowerCaseTableNames: facts.lowerCaseTableNames ?? null,
      characterSet: facts.characterSet ?? null,
      collation: facts.collation ?? null,
      timeZone: facts.timeZone ?? null,
      systemTimeZone: facts.systemTimeZone ?? null,
      sqlMode: facts.sqlMode ?? null,
      readOnly: facts.readOnly ?? null,
      innodbReadOnly: facts.innodbReadOnly ?? null,
      replica: facts.replica ?? null,
      replicaLagSeconds: facts.replicaLagSeconds ?? null,
    },
    mydumper: { version: input.mydumper.version, arguments: [...input.mydumperArguments] },
    startedAt: input.startedAt.toISOString(),
    finishedAt: input.finishedAt.toISOString(),
    binlog:
      metadata.binlog === undefined
        ? null
        : {
            file: metadata.binlog.file ?? null,
            position: metadata.binlog.position ?? null,
            gtid: metadata.binlog.gtid ?? null,
          },
    binlogMissingReason:
      metadata.binlog === undefined ? (input.positionUnavailable ?? NO_POSITION) : null,
    consistency: {
      lock: input.lock.plan,
      description: input.lock.consistency,
      lockedSeconds: input.lockedSeconds ?? null,
    },
    compression: config.compression,
    databases: [...inventory.databases],
    databaseDefaults: facts.databases.map((defaults) => ({ ...defaults })),
    narrowedBy: narrowingFlags(config.dump.extraArguments),
    programs: [...input.programs.list],
    programsUnseen: [...input.programs.unseen, ...input.programDifferences],
    claim: { key: input.claim.key, storedBytes: input.claim.bytes, crc32: input.claim.crc32 },
    files,
    totals: {
      files: files.length,
      dumpedBytes: total('dumpedBytes'),
      storedBytes: total('storedBytes'),
    },
    staging: {
      budgetBytes: config.staging.budgetBytes,
      peakStagedBytes: stats.peakStagedBytes,
      pauses: stats.pauses,
      pausedSeconds: stats.pausedSeconds,
      longestPauseSeconds: stats.longestPauseSeconds,
      lockedPausedSeconds: stats.lockedStopSeconds,
    },
  };
}
