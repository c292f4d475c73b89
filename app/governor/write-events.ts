import { watch } from 'node:fs';

/**
 * Tells at once that a file in the directory was written to (inotify), where a timer would tell a
 * millisecond later. Only ever a hint: where the kernel gives no such events
 * (`fs.inotify.max_user_instances` used up) or drops some, the timer is left.
 * @returns a function that ends it.
 */
export function tellWrites(directory: string, onWrite: () => void): () => void {
  try {
    const watcher = watch(directory, (event) => {
      if (event === 'change') onWrite();
    });
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
}
