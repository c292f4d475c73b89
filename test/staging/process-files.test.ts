import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  allStopped,
  collectOpenFiles,
  type FileId,
  groupMembers,
  idOf,
  parseProcessStat,
  readProcess,
} from '../../app/staging/process-files.ts';
import { elsewhere } from '../support/tracked-directory.ts';

const started: ChildProcess[] = [];
const WAIT = { timeout: 20_000, interval: 2 };

/** A shell with a process group of its own. */
async function shell(script: string, ...argv: readonly string[]) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'sh', '-c', script, 'sh', ...argv], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  started.push(child);
  const [said] = await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, child, said: String(said).trim() };
}

afterEach(() => {
  for (const { pid, exitCode, signalCode } of started.splice(0)) {
    if (pid !== undefined && exitCode === null && signalCode === null)
      process.kill(-pid, 'SIGKILL');
  }
});

function idAt(path: string): FileId {
  return idOf(lstatSync(path, { bigint: true }));
}

function openFilesOf(...pids: number[]): Set<FileId> {
  const open = new Set<FileId>();
  collectOpenFiles(pids, open);
  return open;
}

describe('the state of a process', () => {
  test('is read for any command name', () => {
    const name = fc.string({
      unit: fc.constantFrom('(', ')', ' ', 'S', 'T', '1', 'x', '\n', ') S 1 2'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        fc.nat(),
        name,
        fc.constantFrom('R', 'S', 'D', 'T', 't', 'Z', 'X', 'I'),
        fc.nat(),
        fc.nat(),
        (pid, command, state, parent, processGroup) => {
          const rest = '7 0 -1 4194304 1 0 0 0\n';
          const text = `${pid} (${command}) ${state} ${parent} ${processGroup} ${rest}`;
          expect(parseProcessStat(text)).toEqual({ state, processGroup });
        },
      ),
    );
  });

  test('is unknown from a text that is cut off', () => {
    expect(parseProcessStat('')).toBeUndefined();
    expect(parseProcessStat('12 (sh) S')).toBeUndefined();
  });

  test('is read of a real one whose program has parentheses and spaces in its name', async () => {
    const path = join(elsewhere(), 'a) T 1 (b');
    const { pid } = await shell(
      'ln -s "$(command -v sleep)" "$1"; echo begun; exec "$1" 1000',
      path,
    );
    await vi.waitFor(
      () => expect(readProcess(pid)).toEqual({ state: 'S', processGroup: pid }),
      WAIT,
    );
    process.kill(pid, 'SIGSTOP');
    await vi.waitFor(
      () => expect(readProcess(pid)).toEqual({ state: 'T', processGroup: pid }),
      WAIT,
    );
  });

  test('is unknown of one that is gone', async () => {
    const { pid, child } = await shell('echo begun');
    if (child.exitCode === null) await once(child, 'exit');
    expect(readProcess(pid)).toBeUndefined();
  });
});

describe('a process group', () => {
  test('holds a process and its children, and no zombies', async () => {
    const fifo = join(elsewhere(), 'fifo');
    // The third child ends when it may, and nobody waits for it.
    const script =
      'mkfifo "$1"; sleep 1000 & a=$!; sleep 1000 & b=$!; read x <"$1" & echo $a $b $!; ' +
      'exec sleep 1000';
    const { pid, said } = await shell(script, fifo);
    const [first, second, zombie] = said.split(' ').map(Number);
    await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n'), WAIT);
    writeFileSync(fifo, '\n');
    await vi.waitFor(() => expect(readProcess(zombie ?? 0)?.state).toBe('Z'), WAIT);
    expect(groupMembers(pid).sort()).toEqual([pid, first, second].sort());
  });

  test('is empty when everybody is gone', async () => {
    const { pid, child } = await shell('echo begun');
    if (child.exitCode === null) await once(child, 'exit');
    expect(groupMembers(pid)).toEqual([]);
  });

  test('is stopped only when everybody in it is', async () => {
    const { pid, said } = await shell('sleep 1000 & echo $!; exec sleep 1000');
    const members = [pid, Number(said)];
    expect(allStopped(members)).toBe(false);
    process.kill(pid, 'SIGSTOP');
    await vi.waitFor(() => expect(allStopped([pid])).toBe(true), WAIT);
    expect(allStopped(members)).toBe(false);
    process.kill(-pid, 'SIGSTOP');
    await vi.waitFor(() => expect(allStopped(members)).toBe(true), WAIT);
    process.kill(Number(said), 'SIGCONT');
    await vi.waitFor(() => expect(allStopped(members)).toBe(false), WAIT);
  });

  test('counts who is gone as stopped', async () => {
    const { pid, child } = await shell('echo begun');
    if (child.exitCode === null) await once(child, 'exit');
    expect(allStopped([pid])).toBe(true);
  });
});

describe('open files', () => {
  test('are those of every given process, also after a rename or removal', async () => {
    const directory = elsewhere();
    mkdirSync(join(directory, 'sub'));
    const { pid, said, child } = await shell(
      `cd "$1"; exec 3>kept 4>renamed 5>removed 6<sub
       stat -c '%d:%i' removed; rm removed; mv renamed moved
       sleep 1000 7>childs & echo $!; echo closed > closed; read line; exec 3>&-; echo done
       exec sleep 1000`,
      directory,
    );
    const lines = said.split('\n');
    if (lines.length < 2)
      lines.push(
        ...String((await once(child.stdout, 'data'))[0])
          .trim()
          .split('\n'),
      );
    const [removed = '', sleeper = ''] = lines;
    await vi.waitFor(
      () => expect(openFilesOf(Number(sleeper))).toContain(idAt(join(directory, 'childs'))),
      WAIT,
    );

    const open = openFilesOf(pid);
    expect(open).toContain(idAt(join(directory, 'kept')));
    expect(open).toContain(idAt(join(directory, 'moved')));
    expect([...open].map((id) => id.replace(/:\d+$/, ''))).toContain(removed);
    expect(open).not.toContain(idAt(join(directory, 'sub')));
    expect(open).not.toContain(idAt(join(directory, 'childs')));

    // The child has inherited what its parent had open.
    child.stdin.write('\n');
    await once(child.stdout, 'data');
    expect(openFilesOf(pid)).not.toContain(idAt(join(directory, 'kept')));
    expect(openFilesOf(pid, Number(sleeper))).toContain(idAt(join(directory, 'kept')));
    expect(openFilesOf(pid, Number(sleeper))).not.toContain(idAt(join(directory, 'closed')));
  });

  test('of a process that is gone are none', async () => {
    const { pid, child } = await shell('echo begun');
    if (child.exitCode === null) await once(child, 'exit');
    expect(openFilesOf(pid)).toEqual(new Set());
  });

  test('stand under the identity that the tracker uses', () => {
    const path = join(elsewhere(), 'file');
    const descriptor = openSync(path, 'w');
    onTestFinished(() => closeSync(descriptor));
    expect(openFilesOf(process.pid)).toContain(idAt(path));
  });

  // Unless one is root, /proc hides the files of a process from when it has begun to end.
  test.runIf(process.getuid?.() === 0)(
    'of processes that end are none, also for who is not root',
    async () => {
      const script = `
        const { spawn } = require('node:child_process');
        let complete = 0;
        for (let round = 0; round < 50; round += 1) {
          const { pid } = spawn('true', { stdio: 'ignore' });
          const until = Date.now() + 20;
          let last;
          while (Date.now() < until) last = collectOpenFiles([pid], new Set());
          if (last) complete += 1;
        }
        console.log('complete', complete);`;
      expect(await asNobody(script)).toMatch(/^complete [1-9]/);
    },
  );

  test.runIf(process.getuid?.() === 0)('that we may not see are an error, not none', async () => {
    const { pid } = await shell('echo begun; exec sleep 1000');
    const told = await asNobody(`collectOpenFiles([${pid}], new Set()); console.log('none');`);
    expect(told).toContain(
      `cannot see which files process ${pid} has open in /proc/${pid}/fd (EACCES)`,
    );
  });
});

/**
 * Runs a script that has `collectOpenFiles` and no rights. It gives up its rights after loading, as
 * it may not read the checkout without them.
 * @returns what it prints, or its error message.
 */
async function asNobody(script: string): Promise<string> {
  const module = new URL('../../app/staging/process-files.ts', import.meta.url).href;
  const whole = `import(process.argv[1]).then(({ collectOpenFiles }) => {
    process.setgroups([]);
    process.setgid(65534);
    process.setuid(65534);
    ${script}
  }).catch((error) => console.log(error.message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', whole, module]);
  return stdout;
}
