import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Failure } from '../../app/errors.ts';
import { lowerPriority, startMydumper } from '../../app/mydumper/process.ts';
import { groupMembers, readProcess } from '../../app/staging/process-files.ts';
import { elsewhere } from '../support/tracked-directory.ts';
import {
  isGone,
  isStopped,
  killStarted,
  PATH,
  start,
  startStopped,
  WAIT,
  writeScript,
} from './scripted-mydumper.ts';

afterEach(async () => {
  vi.unstubAllEnvs();
  await killStarted();
});

describe('the exit of mydumper', () => {
  test.each([0, 1, 134])('is its exit code %i', async (code) => {
    const { mydumper } = await start(`exit ${code}`);
    expect(await mydumper.exited).toEqual({ code, signal: null });
  });

  test.each(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const)(
    'is not changed by %s from outside',
    async (signal) => {
      const { mydumper } = await startStopped('sleep', ['0.3']);
      process.kill(mydumper.pid, 'SIGCONT');
      await vi.waitFor(() => expect(readProcess(mydumper.pid)?.state).toBe('S'), WAIT);
      process.kill(mydumper.pid, signal);
      expect(await mydumper.exited).toEqual({ code: 0, signal: null });
    },
  );

  test.each(['SIGSEGV', 'SIGABRT', 'SIGKILL'] as const)(
    'is the signal %s that killed it',
    async (signal) => {
      const { mydumper } = await start(`ulimit -c 0; kill -${signal.slice(3)} $$`);
      expect(await mydumper.exited).toEqual({ code: null, signal });
    },
  );
});

describe('mydumper cannot be started', () => {
  test('without setpriv: a failure of the dump', async () => {
    const started = startMydumper('/bin/true', [], elsewhere(), () => {});
    await expect(started).rejects.toThrow('could not start mydumper through setpriv');
    await expect(started).rejects.toMatchObject({ kind: 'dump' });
    await expect(started).rejects.toBeInstanceOf(Failure);
  });

  test.each(['/nowhere/mydumper', 'no-such-mydumper', '/etc/passwd'])(
    'as %s: its output and exit code report it',
    async (binary) => {
      const { mydumper, events } = await startStopped(binary);
      process.kill(mydumper.pid, 'SIGCONT');
      const { code } = await mydumper.exited;
      expect([126, 127]).toContain(code);
      expect(JSON.stringify(events)).toContain(binary);
    },
  );
});

describe('mydumper stays stopped until it gets SIGCONT', () => {
  test('before its first instruction', async () => {
    const path = join(elsewhere(), 'written');
    const { mydumper } = await startStopped(writeScript(`echo started > '${path}'`));
    expect(readFileSync(`/proc/${mydumper.pid}/cmdline`, 'latin1')).toContain('kill -STOP');
    expect(existsSync(path)).toBe(false);
    process.kill(mydumper.pid, 'SIGCONT');
    expect(await mydumper.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(path)).toBe(true);
  });

  test('and can be killed there', async () => {
    const { mydumper } = await startStopped('/bin/true');
    mydumper.kill();
    expect(await mydumper.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });
});

describe('mydumper runs', () => {
  test('with exactly these arguments', async () => {
    const argv = ['--regex=^(?!(a b)).*$', '', '--', '-x', 'a\nb', '$HOME', '*'];
    const path = join(elsewhere(), 'arguments');
    const { mydumper } = await start(
      'printf "%s\\0" "$@" > "$0.argv"; echo "$0.argv" > /dev/null; cp "$0.argv" "$1"',
      path,
      ...argv,
    );
    expect((await mydumper.exited).code).toBe(0);
    expect(readFileSync(path, 'utf8').split('\0').slice(0, -1)).toEqual([path, ...argv]);
  });

  test('with nothing of our environment but the search path', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'very-secret');
    vi.stubEnv('PASSWORD', 'very-secret');
    vi.stubEnv('MYSQL_PWD', 'very-secret');
    const { mydumper, said } = await start('echo ready; exec sleep 1000');
    await said('ready');
    const environment = readFileSync(`/proc/${mydumper.pid}/environ`, 'utf8').split('\0');
    expect(environment).toContain(`PATH=${PATH}`);
    const names = environment
      .map((line) => line.split('=', 1)[0])
      .filter((name) => name !== '' && name !== 'PWD');
    expect(names.sort()).toEqual(['CHARSET', 'LC_ALL', 'PATH']);
  });

  test('in its own group and session, without input, at low priority on request', async () => {
    const { mydumper, said } = await start('read line || echo ready; exec sleep 1000');
    await said('ready');
    const { pid } = mydumper;
    expect(readProcess(pid)?.processGroup).toBe(pid);
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]).toBe(`${pid}`);
    expect(getPriority(pid)).toBe(getPriority());
    lowerPriority(pid);
    expect(getPriority(pid)).toBe(Math.max(5, getPriority()));
    mydumper.kill();
    await mydumper.exited;
    lowerPriority(pid);
  });
});

describe('killing mydumper', () => {
  test('ends it with its children, also when it is stopped and ignores signals', async () => {
    const { mydumper, said } = await start(
      `trap '' TERM INT HUP; sleep 1000 & sh -c "trap '' TERM; sleep 1000" & ` +
        'echo ready; wait; wait; sleep 1000',
    );
    await said('ready');
    expect(groupMembers(mydumper.pid).length).toBeGreaterThanOrEqual(3);
    process.kill(-mydumper.pid, 'SIGSTOP');
    mydumper.kill();
    expect(await mydumper.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await isGone(mydumper.pid);
  });

  test('twice or after its end does no harm', async () => {
    const { mydumper } = await start('exec sleep 1000');
    mydumper.kill();
    mydumper.kill();
    await mydumper.exited;
    mydumper.kill();
  });
});

test('mydumper dies with this program, even stopped and by a SIGKILL to this program', async () => {
  const directory = elsewhere();
  mkdirSync(directory, { recursive: true });
  const module = new URL('../../app/mydumper/process.ts', import.meta.url).href;
  const script = `const { startMydumper } = await import(process.argv[1]);
    const { pid } = await startMydumper('sleep', ['1000'], process.env.PATH, () => {});
    console.log(pid);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script, module], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await once(starter.stdout, 'data');
  const pid = Number(said);
  try {
    expect(readProcess(pid)?.processGroup).toBe(pid);
    await isStopped(pid);
    process.kill(pid, 'SIGCONT');
    await vi.waitFor(
      () => expect(readFileSync(`/proc/${pid}/comm`, 'latin1')).toBe('sleep\n'),
      WAIT,
    );
    process.kill(pid, 'SIGSTOP');
    await isStopped(pid);
    starter.kill('SIGKILL');
    await isGone(pid);
  } finally {
    starter.kill('SIGKILL');
    if (groupMembers(pid).length > 0) process.kill(-pid, 'SIGKILL');
  }
});
