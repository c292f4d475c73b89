import type { LockPlan } from '../../../app/mydumper/arguments.ts';
import type { HeldRelay } from './held-relay.ts';
import type { RecordedServer } from './server.ts';
import type { RunningTool } from './watch-tool.ts';

/** One run of mydumper to record. */
export type RecordedRun = {
  readonly name: string;
  /** The run in one sentence; the recording keeps it. */
  readonly run: string;
  /** Statements that make the databases first. */
  readonly data: readonly (readonly string[])[];
  /** DATABASES; empty for the whole server. */
  readonly databases?: readonly string[];
  readonly lock?: LockPlan;
  /** Privileges of the user who dumps; root when not given. */
  readonly privileges?: readonly string[];
  /** The object of the privileges; everything when not given. */
  readonly privilegesOn?: string;
  /** A wrong password for mydumper; the right one when not given. */
  readonly password?: string;
  readonly tlsRequired?: true;
  /** Arguments to leave out and to add. */
  readonly without?: RegExp;
  readonly further?: readonly string[];
  /** Errors that 1.x ignores by option. */
  readonly ignoredErrors?: readonly number[];
  /** Lines to leave out of the option file. */
  readonly withoutOption?: RegExp;
  /** Size of the file system for the dump; the machine's own file system when not given. */
  readonly diskBytes?: number;
  /** Leaves out the option that names the server to 1.x, where 1.x cannot recognise it. */
  readonly unnamed?: true;
  readonly onlyOn?: RegExp;
  /**
   * Stops the server's answers at this line of mydumper's log, acts, and lets mydumper continue.
   */
  readonly middle?: { readonly at: RegExp; readonly act: (here: Middle) => Promise<void> };
};

export type Middle = {
  readonly server: RecordedServer;
  readonly relay: HeldRelay;
  readonly tool: RunningTool;
};
