import { spawn } from 'node:child_process';
import { expect, onTestFinished, test, vi } from 'vitest';
import { standStill } from '../../app/governor/stopped.ts';
import { groupMembers } from '../../app/staging/process-files.ts';

const WAIT = { timeout: 20_000, interval: 1 };

function start(script: string): number {
  const child = spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' });
  const pid = child.pid ?? 0;
  onTestFinished(() => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // it is gone
    }
  });
  return pid;
}

const stands = (pids: readonly number[]) =>
  vi.waitFor(() => expect(standStill(pids)).toBe(true), WAIT);

test('a child counts as stopped until it is continued, in repeated checks too', async () => {
  const pid = start('while :; do sleep 0.01; done');
  expect(standStill([pid])).toBe(false);
  for (let round = 0; round < 3; round += 1) {
    process.kill(pid, 'SIGSTOP');
    await stands([pid]);
    expect(standStill([pid])).toBe(true);
    process.kill(pid, 'SIGCONT');
    expect(standStill([pid])).toBe(false);
  }
});

test('several processes stand still when all do, and an empty list does', async () => {
  const pid = start('sleep 1000 & wait');
  await vi.waitFor(() => expect(groupMembers(pid)).toHaveLength(2), WAIT);
  const members = groupMembers(pid);
  process.kill(pid, 'SIGSTOP');
  await stands([pid]);
  expect(standStill(members)).toBe(false);
  process.kill(-pid, 'SIGSTOP');
  await stands(members);
  expect(standStill([])).toBe(true);
});

test('what is no child of ours is looked at in /proc, and what is gone stands still', async () => {
  const pid = start('sleep 1000 & wait');
  await vi.waitFor(() => expect(groupMembers(pid)).toHaveLength(2), WAIT);
  const grandchild = groupMembers(pid).find((member) => member !== pid) ?? 0;
  expect(standStill([grandchild])).toBe(false);
  process.kill(grandchild, 'SIGSTOP');
  await stands([grandchild]);
  process.kill(-pid, 'SIGKILL');
  await stands([pid]);
});
