import type { DumpMetadata } from '../mydumper/metadata.ts';
import type { MydumperExit } from '../mydumper/process.ts';

export type DumpEvidence = {
  readonly exit: MydumperExit;
  /** Errors mydumper logged, in order. */
  readonly errors: readonly string[];
  /** The last warning that reports an error. Such a line may stand long before the end. */
  readonly lastComplaint: string | undefined;
  /** The last lines of its output, for an end without an error message. */
  readonly lastLines: readonly string[];
  /** The content of its `metadata` file; undefined when there is none. */
  readonly metadata: DumpMetadata | undefined;
};

export type DumpVerdict =
  | { readonly good: true; readonly metadata: DumpMetadata }
  | { readonly good: false; readonly fault: string };

/**
 * Judges whether a dump is good, and if not why. Needs the exit code, the log and the metadata
 * file: mydumper has exited with 0 after an error, and has written "Finished dump" over an
 * incomplete dump.
 */
export function judgeDump(evidence: DumpEvidence): DumpVerdict {
  const { exit, errors, lastComplaint, lastLines, metadata } = evidence;
  const [firstError] = errors;
  const reason = firstError ?? lastComplaint ?? lastLines.at(-1);
  const bad = (fault: string): DumpVerdict => ({ good: false, fault });
  if (exit.signal !== null) return bad(`mydumper was killed by ${exit.signal}${said(reason)}`);
  if (exit.code !== 0) return bad(`mydumper ended with exit code ${exit.code}${said(reason)}`);
  if (firstError !== undefined)
    return bad(`mydumper ended with exit code 0 but logged an error${said(firstError)}`);
  if (metadata === undefined)
    return bad('mydumper ended with exit code 0 but left no metadata file');
  if (!metadata.finished)
    return bad('mydumper ended with exit code 0 but its metadata reports no finished dump');
  return { good: true, metadata };
}

function said(line: string | undefined): string {
  return line === undefined ? '' : `: ${line}`;
}
