import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBase } from './base.ts';
import { type Builder, type Container, type ImageConfig, ROOT } from './builder.ts';
import { aptInstall, run, works } from './commands.ts';
import { follow } from './running.ts';

const TAG = 'localhost/mydumper-fargate-test';
const BASE = 'localhost/mydumper-fargate-base';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Outside of the repository, so that the base is there the next time. */
const CACHE = join(tmpdir(), 'mydumper-fargate-image-test');
const STORE = [
  '--root',
  join(CACHE, 'store'),
  '--runroot',
  join(CACHE, 'run'),
  '--storage-driver',
  'vfs',
];

/**
 * Enters the image: its file system as read-only root directory; /staging on its own file system in
 * memory; its own process tree; the image's user, without any capability. Unlike a real container
 * it has no name spaces of network and users.
 */
const ENTER = `
set -e
root=$1 size=$2 user=$3; shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o "size=\${size}m,mode=0700,uid=\${user%:*},gid=\${user#*:}" tmpfs "$root/staging"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" setpriv --reuid "\${user%:*}" --regid "\${user#*:}" --clear-groups \\
  --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"
`;

type Inspected = {
  readonly OCIv1: {
    readonly config: {
      readonly User: string;
      readonly Env?: string[];
      readonly WorkingDir: string;
      readonly Entrypoint: string[];
      readonly Cmd: string[];
      readonly Volumes: Record<string, unknown>;
      readonly Labels: Record<string, string>;
    };
  };
};

/**
 * Needs no daemon, but root.
 * @throws CommandError where it cannot be installed or no base can be made.
 */
export async function openBuildah(): Promise<Builder> {
  if (!(await works('buildah', '--version'))) await aptInstall('buildah');
  const base = await makeBase(CACHE);
  const buildah = (...args: readonly string[]) => run(['buildah', ...STORE, ...args]);
  const build = (tag: string, context: string, args: readonly string[]) =>
    buildah('bud', '--isolation', 'chroot', '--layers=false', '--tag', tag, ...args, context);
  await build(BASE, base, []);
  let container: string | undefined;
  let root: string | undefined;

  const inspect = async () =>
    (JSON.parse(await buildah('inspect', '--type', 'image', TAG)) as Inspected).OCIv1.config;
  return {
    name: 'buildah',
    build: async (buildArguments) => {
      const args = Object.entries({ BASE_IMAGE: BASE, ...buildArguments }).flatMap(
        ([name, value]) => ['--build-arg', `${name}=${value}`],
      );
      await build(TAG, ROOT, args);
      container = (await buildah('from', TAG)).trim();
      root = (await buildah('mount', container)).trim();
    },
    config: async (): Promise<ImageConfig> => {
      const { User, Entrypoint, Cmd, Volumes, Labels } = await inspect();
      return {
        user: User,
        entrypoint: Entrypoint,
        command: Cmd,
        volumes: Object.keys(Volumes),
        labels: Labels,
      };
    },
    start: async ({ environment, command, entrypoint, stagingMiB }: Container) => {
      const { User, Env = [], WorkingDir, Entrypoint, Cmd } = await inspect();
      const words = [
        ...(entrypoint ?? Entrypoint),
        ...(command ?? (entrypoint === undefined ? Cmd : [])),
      ];
      const enter = [
        'unshare',
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        'sh',
        '-c',
        ENTER,
        'sh',
        root ?? '',
        String(stagingMiB),
        User,
      ];
      const own = Object.fromEntries(
        Env.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
      return follow(
        [...enter, 'env', '-C', WorkingDir, ...words],
        { PATH, ...own, ...environment },
        (child, signal) => {
          // unshare keeps signals to itself; its only child is the container's first process.
          const [first] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
            .trim()
            .split(' ');
          if (first !== undefined && first !== '') process.kill(Number(first), signal);
        },
      );
    },
    remove: async () => {
      if (container !== undefined) await buildah('rm', container);
      for (const tag of [TAG, BASE]) await buildah('rmi', '--force', tag).catch(() => '');
    },
  };
}
