import { watch } from 'node:fs';

/**
 * Reports a write to a file in the directory at once (inotify), where a timer would report it a
 * millisecond later. It is only a hint: the timer remains where the kernel gives no such events
 * (`fs.inotify.max_user_instances` used up) or drops some.
 * @returns a function that ends it.
 */
export function reportWrites(directory: string, onWrite: () => void): () => void {
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
