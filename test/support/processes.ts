import { readdirSync, readFileSync } from 'node:fs';

export type ProcessSeen = {
  readonly pid: number;
  readonly commandLine: string;
  readonly state: string;
};

/** Living processes whose command line holds the text; zombies hold nothing and do not count. */
export function processesWith(text: string): ProcessSeen[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const state = stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '';
        const isLiving = commandLine.includes(text) && !/[ZX]/.test(state);
        return isLiving ? [{ pid: Number(name), commandLine, state }] : [];
      } catch {
        return []; // gone
      }
    });
}
