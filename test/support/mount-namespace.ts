import { spawnSync } from 'node:child_process';

/**
 * In a chroot the root directory is no mount point, so that unshare cannot make it private. This
 * makes it one in the new namespace: the root is mounted over /proc, which is made private first,
 * so that no other namespace sees a mount.
 */
const ENTER_FROM_CHROOT = [
  'mount --make-private /proc',
  'mount --rbind / /proc',
  'mount --make-rprivate /proc',
  `exec chroot /proc sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"`,
].join(' && ');

/**
 * The words that start a command in a mount namespace of its own, as root there. The command
 * follows them. `options` are further options of unshare.
 */
export function inMountNamespace(...options: readonly string[]): string[] {
  const unshare = ['unshare', '--mount', ...options];
  if (process.getuid?.() !== 0) return [...unshare, '--map-root-user'];
  if (spawnSync('unshare', ['--mount', 'true']).status === 0) return unshare;
  return [...unshare, '--propagation', 'unchanged', 'sh', '-c', ENTER_FROM_CHROOT, 'sh'];
}
