import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Lease } from '../../app/staging/tracker.ts';
import { temporaryDirectory } from './program.ts';

/**
 * A file as the watching thread hands it over, on disk under `path`; closed and removed when the
 * running test ends.
 */
export function leasedFile(
  content: Buffer | string,
  lease: Partial<Pick<Lease, 'id' | 'name' | 'sizeBytes' | 'closed'>> = {},
): Lease & { readonly path: string } {
  const { path: directory, remove } = temporaryDirectory('mf-lease');
  const path = join(directory, 'file');
  writeFileSync(path, content);
  const descriptor = openSync(path, 'r');
  onTestFinished(() => {
    closeSync(descriptor);
    remove();
  });
  const sizeBytes = Buffer.byteLength(content);
  return {
    id: '1:1',
    name: 'shop.orders.sql',
    closed: true,
    sizeBytes,
    descriptor,
    ...lease,
    path,
  };
}
