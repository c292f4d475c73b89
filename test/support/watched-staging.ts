import { lstatSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, vi } from 'vitest';
import type { Failure } from '../../app/errors.ts';
import type { WatchStart } from '../../app/governor/protocol.ts';
import { startWatch } from '../../app/governor/watch.ts';
import { type MydumperProcess, startMydumper } from '../../app/mydumper/process.ts';
import { type FileId, idOf } from '../../app/staging/process-files.ts';
import type { StagedFile } from '../../app/staging/tracked-file.ts';
import { type FakeStep, UPSTREAM_VERSION, writeFakeMydumper } from './fake-mydumper.ts';
import { temporaryDirectory } from './program.ts';
import { STAGED_WRITER } from './staged-writer.ts';

export const WAIT = { timeout: 30_000, interval: 2 };

export type Shipped = { readonly name: string; readonly id: FileId; readonly content: string };

/**
 * The real watching thread over a directory of its own, with a network that takes finished files
 * one after another. It is removed when the running test ends.
 */
export async function watchStaging(
  changes: Partial<WatchStart> & {
    readonly network?: 'open' | 'held';
    readonly sendMilliseconds?: number;
  } = {},
) {
  const { network: first = 'open', sendMilliseconds = 0, ...started } = changes;
  const { path: root, remove } = temporaryDirectory('mf-watch');
  const staging = temporaryDirectory('mf-watched');
  const directory = staging.path;
  const announced: StagedFile[] = [];
  const shipped: Shipped[] = [];
  const failures: Failure[] = [];
  const pauses: { kind: 'paused' | 'resumed'; reason: string; stagedBytes: number }[] = [];
  let network = Promise.withResolvers<void>();
  if (first === 'open') network.resolve();
  let sending: Promise<unknown> = Promise.resolve();

  const watch = startWatch(
    {
      directory,
      budgetBytes: 8 * 1024 * 1024,
      burstBytes: 256 * 1024,
      likelyBurstBytes: 256 * 1024,
      growing: undefined,
      patienceSeconds: 300,
      locked: false,
      ...started,
    },
    {
      finished: (files) => {
        announced.push(...files);
        for (const file of files) sending = sending.then(() => send(file)).catch(() => {});
      },
      growing: () => expect.unreachable('no file is shipped while it grows'),
      growth: () => {},
      press: () => {},
      exceeded: () => expect.unreachable('no row was too large'),
      paused: (pause) => pauses.push({ kind: 'paused', ...pause }),
      resumed: ({ reason, stagedBytes }) => pauses.push({ kind: 'resumed', reason, stagedBytes }),
      stats: () => {},
      failed: (failure) => failures.push(failure),
    },
  );
  const send = async ({ id }: StagedFile) => {
    await network.promise;
    const { descriptor, sizeBytes, name } = await watch.lease(id);
    const content = Buffer.alloc(sizeBytes);
    readSync(descriptor, content, 0, sizeBytes, 0);
    await sleep(sendMilliseconds);
    await watch.release(id);
    shipped.push({ name, id, content: content.toString('latin1') });
  };

  const running: MydumperProcess[] = [];
  const start = async (binary: string, ...argv: readonly string[]) => {
    const mydumper = await startMydumper(binary, argv, process.env.PATH ?? '', () => {});
    running.push(mydumper);
    return mydumper;
  };
  const run = async (binary: string, ...argv: readonly string[]) => {
    const mydumper = await start(binary, ...argv);
    watch.govern(mydumper.pid);
    return mydumper;
  };
  let ended = false;
  const end = async () => {
    ended = true;
    await watch.end();
  };
  onTestFinished(async () => {
    for (const { kill, exited } of running) {
      kill();
      await exited;
    }
    network.resolve();
    if (!ended) await end();
    staging.remove();
    remove();
  });
  await watch.ready;
  return {
    directory,
    watch,
    announced,
    shipped,
    failures,
    pauses,
    end,
    /** Starts a program in mydumper's place that the thread is not told of yet. */
    start,
    run,
    /** A shell script in mydumper's place, told the directory as its first argument. */
    script: (text: string) => run('sh', '-c', text, 'sh', directory),
    play: (...steps: readonly FakeStep[]) =>
      run(
        writeFakeMydumper(root, { version: UPSTREAM_VERSION, steps }),
        `--outputdir=${directory}`,
      ),
    writeFiles: (sizes: Record<'threads' | 'files' | 'writes' | 'bytes', number>) => {
      const { threads, files, writes, bytes } = sizes;
      return run(
        process.execPath,
        STAGED_WRITER,
        directory,
        ...[threads, files, writes, bytes].map(String),
      );
    },
    openNetwork: () => network.resolve(),
    holdNetwork: () => {
      network = Promise.withResolvers<void>();
    },
    /** Resolves when everything announced up to now was sent. */
    sent: () => sending,
    isAnnounced: (name: string) =>
      vi.waitFor(() => expect(announced.map((file) => file.name)).toContain(name), WAIT),
    isPaused: () => vi.waitFor(() => expect(pauses.at(-1)?.kind).toBe('paused'), WAIT),
    hasFailed: async () => {
      await vi.waitFor(() => expect(failures).toHaveLength(1), WAIT);
      return failures[0];
    },
    idOf: (name: string): FileId => idOf(lstatSync(join(directory, name), { bigint: true })),
  };
}
