import { spawnSync } from 'node:child_process';

/**
 * In a chroot the root directory is not a mount point, so unshare cannot make it private. This
 * script makes it one in the new namespace: it makes /proc private and mounts the root over it. No
 * other namespace sees a mount.
 */
const ENTER_FROM_CHROOT = [
  'mount --make-private /proc',
  'mount --rbind / /proc',
  'mount --make-rprivate /proc',
  `exec chroot /proc sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"`,
].join(' && ');

/**
 * The command prefix that starts a command in a new mount namespace, as root there. `options` are
 * further options of unshare.
 */
export function inMountNamespace(...options: readonly string[]): string[] {
  const unshare = ['unshare', '--mount', ...options];
  if (process.getuid?.() !== 0) return [...unshare, '--map-root-user'];
  if (spawnSync('unshare', ['--mount', 'true']).status === 0) return unshare;
  return [...unshare, '--propagation', 'unchanged', 'sh', '-c', ENTER_FROM_CHROOT, 'sh'];
}
