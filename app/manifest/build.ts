import type { Config } from '../config.ts';
import type { Inventory } from '../database/inventory.ts';
import type { LockChoice } from '../database/locking.ts';
import type { WatchStats } from '../governor/protocol.ts';
import { classifyFile } from '../mydumper/file-names.ts';
import type { DumpMetadata } from '../mydumper/metadata.ts';
import type { MydumperVersion } from '../mydumper/version.ts';
import type { ShippedFile } from '../shipping/shipper.ts';
import { MANIFEST_FORMAT, type Manifest } from './schema.ts';

export type ManifestInput = {
  readonly config: Config;
  readonly toolVersion: string;
  readonly backupId: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly inventory: Inventory;
  readonly mydumper: MydumperVersion;
  /** Without secrets, as mydumper was started. */
  readonly mydumperArguments: readonly string[];
  readonly lock: LockChoice;
  /** How long mydumper held its locks, as far as its log tells. */
  readonly lockedSeconds: number | undefined;
  readonly metadata: DumpMetadata;
  readonly files: readonly ShippedFile[];
  readonly stats: WatchStats;
};

/** Puts together what is known of a backup. Files are ordered by name, so that two manifests compare well. */
export function buildManifest(input: ManifestInput): Manifest {
  const { config, inventory, metadata, stats } = input;
  const databases = new Set(inventory.databases);
  const files = input.files
    .map(({ name, key, dumpedBytes, storedBytes, sha256, crc32 }) => {
      const { kind, database = null, table = null } = classifyFile(name, databases);
      return { key, name, kind, database, table, dumpedBytes, storedBytes, sha256, crc32 };
    })
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  const total = (field: 'dumpedBytes' | 'storedBytes') => files.reduce((sum, file) => sum + file[field], 0);
  return {
    format: MANIFEST_FORMAT,
    backupId: input.backupId,
    source: config.source,
    tool: { name: 'mydumper-fargate', version: input.toolVersion },
    server: { vendor: inventory.vendor, version: inventory.version },
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
    consistency: {
      lock: input.lock.plan,
      description: input.lock.consistency,
      lockedSeconds: input.lockedSeconds ?? null,
    },
    compression: config.compression,
    databases: [...inventory.databases],
    files,
    totals: { files: files.length, dumpedBytes: total('dumpedBytes'), storedBytes: total('storedBytes') },
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

/** For so long, from `now` on, a run would get the same id as the one that began at `start`; a second at the most, also where the clock was set back. */
export function millisecondsOfSameId(start: Date, now: Date): number {
  const nextId = (Math.floor(start.getTime() / 1000) + 1) * 1000;
  return Math.min(1000, Math.max(0, nextId - now.getTime()));
}

/** `20261122T030000Z`: the UTC start of a run names its folder. */
export function backupIdOf(start: Date): string {
  return start.toISOString().replace(/\.\d+/, '').replace(/[-:]/g, '');
}
