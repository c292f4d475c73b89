import type { FileId } from '../staging/process-files.ts';
import type { StagedFile } from '../staging/tracked-file.ts';
import type { GrowingLimits, Growth, Lease } from '../staging/tracker.ts';

/** What the watching thread is started with. */
export type WatchStart = {
  readonly directory: string;
  readonly budgetBytes: number;
  readonly burstBytes: number;
  /** The same with a row as large as the tables may hold. */
  readonly likelyBurstBytes: number;
  /**
   * Which files to ship while they grow. Undefined where the file system cannot free parts of
   * files.
   */
  readonly growing: GrowingLimits | undefined;
  /** How long server and network bear a client that reads nothing. */
  readonly patienceSeconds: number;
  /** mydumper takes locks when it starts. */
  readonly locked: boolean;
};

/** What has happened to staging up to now. */
export type WatchStats = {
  readonly stagedBytes: number;
  readonly peakStagedBytes: number;
  readonly dumpedBytes: number;
  readonly stopped: boolean;
  readonly pauses: number;
  readonly pausedSeconds: number;
  readonly longestPauseSeconds: number;
  readonly lockedStopSeconds: number;
  readonly longestReactionSeconds: number;
};

export type ToWatch =
  | { readonly kind: 'mydumperStarted'; readonly processGroup: number }
  | { readonly kind: 'lease'; readonly id: FileId }
  | { readonly kind: 'release'; readonly id: FileId }
  /** S3 has acknowledged that many first bytes of a leased file. Not answered. */
  | { readonly kind: 'free'; readonly id: FileId; readonly bytes: number }
  | { readonly kind: 'locksReleased' }
  /** mydumper is gone: every file is finished. Answered by `drained`. */
  | { readonly kind: 'mydumperExited' }
  /** Ends the thread; answered by its exit. */
  | { readonly kind: 'end' };

export type FromWatch =
  /**
   * The thread has looked once and continues to look: mydumper may start. `gate`: the kernel helps
   * to stop mydumper.
   */
  | { readonly kind: 'ready'; readonly gate: boolean }
  | { readonly kind: 'finished'; readonly files: readonly StagedFile[] }
  | { readonly kind: 'growing'; readonly files: readonly StagedFile[] }
  | { readonly kind: 'growth'; readonly growth: readonly Growth[] }
  /** Staging held more than its budget, because of a row of unknown size. */
  | { readonly kind: 'exceeded'; readonly reason: string }
  /**
   * mydumper waits, and only unfinished files could free staging. The shipper ships the content of
   * this one although it fills no part.
   */
  | { readonly kind: 'press'; readonly id: FileId }
  | { readonly kind: 'leased'; readonly lease: Lease }
  | { readonly kind: 'leaseFailed'; readonly id: FileId; readonly reason: string }
  | { readonly kind: 'released'; readonly id: FileId }
  | { readonly kind: 'releaseFailed'; readonly id: FileId; readonly reason: string }
  | { readonly kind: 'paused'; readonly reason: string; readonly stagedBytes: number }
  | {
      readonly kind: 'resumed';
      readonly reason: string;
      readonly stagedBytes: number;
      readonly pausedSeconds: number;
    }
  | { readonly kind: 'stats'; readonly stats: WatchStats }
  /** All files were announced after mydumper had gone. */
  | { readonly kind: 'drained' }
  /**
   * The budget cannot be kept (`staging`), or the directory's content cannot be trusted (`dump`).
   */
  | { readonly kind: 'failed'; readonly fault: 'staging' | 'dump'; readonly reason: string };
