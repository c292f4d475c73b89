import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * The process that uses the directory. Its id and start time together identify it, since the kernel
 * uses ids again.
 */
export type Owner = { readonly pid: number; readonly startTicks: string; readonly bootId: string };

export function writeMarker(path: string): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    writeSync(descriptor, JSON.stringify(ownerOf(process.pid) satisfies Owner | undefined));
  } finally {
    closeSync(descriptor);
  }
}

export function readMarker(path: string): Owner | undefined {
  try {
    const { pid, startTicks, bootId } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Owner>;
    if (typeof pid !== 'number' || typeof startTicks !== 'string' || typeof bootId !== 'string')
      return undefined;
    return { pid, startTicks, bootId };
  } catch {
    return undefined; // written by a run that died while writing it
  }
}

export function isAlive(owner: Owner): boolean {
  const now = ownerOf(owner.pid);
  return now !== undefined && now.startTicks === owner.startTicks && now.bootId === owner.bootId;
}

function ownerOf(pid: number): Owner | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Field 22, start time in clock ticks since boot (proc_pid_stat(5)); fields count from the last
    // parenthesis.
    const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return startTicks === undefined ? undefined : { pid, startTicks, bootId };
  } catch {
    return undefined;
  }
}
