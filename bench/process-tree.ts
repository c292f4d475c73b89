import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** USER_HZ, 100 on every Linux there is. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

export type ProcessSeen = {
  readonly pid: number;
  /** Base name of its executable. */
  readonly program: string;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
};

type Stat = { cpuSeconds: number; childrenCpuSeconds: number; residentBytes: number };

/** proc_pid_stat(5). @throws Error when there is no such process. */
function readStat(pid: number | 'self'): Stat {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  const at = (index: number) => fields[index] ?? 0;
  return {
    cpuSeconds: (at(11) + at(12)) / TICKS_PER_SECOND,
    childrenCpuSeconds: (at(13) + at(14)) / TICKS_PER_SECOND,
    residentBytes: at(21) * PAGE_BYTES,
  };
}

/**
 * Processor seconds of all ended children of this process, including the children that they waited
 * for.
 */
export function endedChildrenSeconds(): number {
  return readStat('self').childrenCpuSeconds;
}

/** Processor seconds of a running process with all its threads. */
export function cpuSecondsOf(pid: number): number {
  return readStat(pid).cpuSeconds;
}

/** The most that was resident so far (VmHWM), in bytes; 0 when it is gone. */
export function peakResidentBytes(pid: number): number {
  try {
    const [, kib] =
      /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The process and all that descend from it and live. */
export function lookAtTree(root: number): readonly ProcessSeen[] {
  const seen: ProcessSeen[] = [];
  const waiting = [root];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    try {
      const { cpuSeconds, residentBytes } = readStat(pid);
      seen.push({
        pid,
        program: basename(readlinkSync(`/proc/${pid}/exe`)),
        cpuSeconds,
        residentBytes,
      });
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1');
        waiting.push(
          ...children
            .split(' ')
            .filter((text) => text.trim() !== '')
            .map(Number),
        );
      }
    } catch {
      // gone, or just going
    }
  }
  return seen;
}
