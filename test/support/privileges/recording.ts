import type { PrivilegeServer, UserRights } from '../../../app/database/user-rights.ts';
import type { LockPlan } from '../../../app/mydumper/arguments.ts';
import type { Generation } from '../../../app/mydumper/version.ts';
import type { Vendor } from '../mariadb/server-program.ts';

/** How one dump ended, by a user without some privilege. */
export type PrivilegeRun = {
  /** Exit code, or the signal that ended it; `endless` where it had to be killed. */
  readonly exit: number | string;
  /** `metadata` holds a position in the binary log. */
  readonly position: boolean;
  /** Some of the files that differ from the dump of a user with all privileges, or are missing. */
  readonly lost: readonly string[];
  /** Some of the errors in its log, also such as 1.x logs as warnings. */
  readonly said: readonly string[];
};

export type PrivilegeRecording = {
  /** mydumper's version, from `mydumper --version`. */
  readonly mydumper: string;
  readonly generation: Generation;
  readonly vendor: Vendor;
  readonly server: string;
  readonly binaryLog: boolean;
  readonly users: readonly {
    readonly lacks: string;
    /** The server's answers about the user. */
    readonly told: Omit<PrivilegeServer, keyof UserRights | 'vendor' | 'version'> & UserRights;
    readonly runs: Readonly<Partial<Record<LockPlan, PrivilegeRun>>>;
  }[];
};
