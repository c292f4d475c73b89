import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { serverProgram } from '../test/support/mariadb/server-program.ts';
import { AWS } from './programs.ts';
import type { Machine } from './sample.ts';

/** What this runs on; taken before anything is started. */
export async function describeMachine(): Promise<Machine> {
  return {
    processors: availableParallelism(),
    model: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    kernel: release(),
    system: /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    loadBefore: loadavg()[0] ?? 0,
    versions: {
      Node: process.version,
      mydumper: firstLine('mydumper', '--version'),
      MariaDB: (await serverProgram()).version,
      'AWS CLI': firstLine(AWS, '--version'),
      rclone: firstLine('rclone', '--version'),
      zstd: firstLine('zstd', '--version').replace(/[*]/g, '').trim(),
    },
  };
}

function firstLine(program: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return `${stdout ?? ''}${stderr ?? ''}`.split('\n', 1)[0] ?? '';
}
