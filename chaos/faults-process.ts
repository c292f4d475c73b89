import { setTimeout as sleep } from 'node:timers/promises';
import { processesWith } from '../test/support/processes.ts';
import type { Scene, Strike } from './scene.ts';

const SEARCH_MILLISECONDS = 1500;

/** mydumper of this run; waits a moment for it to be started. */
async function mydumperOf({ staging, isOver }: Scene): Promise<number | undefined> {
  const deadline = performance.now() + SEARCH_MILLISECONDS;
  while (performance.now() < deadline && !isOver()) {
    const found = processesWith(`--outputdir=${staging}`).find(({ commandLine }) =>
      commandLine.startsWith('mydumper'),
    );
    if (found !== undefined) return found.pid;
    await sleep(10);
  }
  return undefined;
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // it has just ended
  }
}

const toMydumper =
  (signal: NodeJS.Signals): Strike =>
  async (_fault, scene) => {
    const pid = await mydumperOf(scene);
    return pid !== undefined && send(pid, signal);
  };

const toUs = ({ program, isOver }: Scene, signal: NodeJS.Signals) =>
  !isOver() && program.child.kill(signal);

export const PROCESS_STRIKES = {
  'mydumper-kill': toMydumper('SIGKILL'),
  'mydumper-term': toMydumper('SIGTERM'),
  'mydumper-cont': toMydumper('SIGCONT'),
  'mydumper-stop': async ({ milliseconds }, scene) => {
    const pid = await mydumperOf(scene);
    if (pid === undefined || !send(pid, 'SIGSTOP')) return false;
    await sleep(milliseconds, undefined, { signal: scene.over }).catch(() => {});
    send(pid, 'SIGCONT');
    return true;
  },
  'us-term': async (_fault, scene) => toUs(scene, 'SIGTERM'),
  'us-int': async (_fault, scene) => toUs(scene, 'SIGINT'),
  'us-kill': async (_fault, scene) => toUs(scene, 'SIGKILL'),
  'us-term-twice': async ({ pick }, scene) => {
    if (!toUs(scene, 'SIGTERM')) return false;
    await sleep(pick / 2);
    toUs(scene, 'SIGTERM');
    return true;
  },
  'us-stop': async ({ milliseconds }, scene) => {
    if (!toUs(scene, 'SIGSTOP')) return false;
    await sleep(milliseconds);
    toUs(scene, 'SIGCONT');
    return true;
  },
} as const satisfies Record<string, Strike>;
