import type { Noticed } from './hostile.ts';

/** Something that mydumper 0.10 and myloader 0.10 do not keep, often with exit code 0 of both. */
export interface SilentLoss {
  readonly id: string;
  readonly why: string;
  /** What was seen with mydumper and myloader 0.10.1 and MariaDB 10.11. */
  readonly symptom: string;
  /**
   * Where it shows, with `--triggers --events --routines -F 1` and `--complete-insert` unless
   * `args` say otherwise.
   */
  readonly noticed: Noticed;
  /** Run in a fresh database `loss`, in a session with `time_zone = '+00:00'`. */
  readonly statements: readonly string[];
  /** Configuration that both servers need for the loss to show. */
  readonly config?: readonly string[];
  /** mydumper without `--complete-insert`. */
  readonly plainInsert?: boolean;
  /** An `init-command` for mydumper's option file under which nothing is lost. */
  readonly remedy?: string;
}
