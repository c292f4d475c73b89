import { expect, test } from 'vitest';
import {
  copy,
  dies,
  endsBy,
  goesOn,
  inTheMiddle,
  isWhole,
  loadedFiles,
  useInterruptions,
} from '../test/restore/interrupting.ts';

useInterruptions(['chunks', 'huge']);

test.each([
  ['SIGTERM', 143, 'huge'],
  ['SIGINT', 130, 'chunks'],
] as const)(
  '%s in the middle ends it with %i; the same command resumes (%s)',
  async (signal, exitCode, source) => {
    await endsBy(signal, exitCode, source);
    await goesOn(source, await loadedFiles());
  },
);

test('SIGKILL in the middle; the same command resumes', async () => {
  await dies('chunks');
  await goesOn('chunks', await loadedFiles());
});

test('a restore that is killed again and again still finishes', async () => {
  for (let kill = 0; kill < 3; kill += 1) await dies('huge');
  await goesOn('huge', await loadedFiles());
});

test.each(['chunks', 'huge'])(
  'a server that is killed and comes back is ridden out, or the same command resumes (%s)',
  async (source) => {
    const running = await inTheMiddle(source);
    await copy.kill();
    await copy.restart();
    const { code, stdout } = await running.ended;
    if (code === 0) return isWhole();
    expect(code).toBe(8);
    expect(stdout).toMatch(/lost|gone away|connect|no transactions/i);
    await goesOn(source, await loadedFiles());
  },
);
