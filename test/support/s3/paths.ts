import { createHash } from 'node:crypto';

/**
 * Where a key's bytes live below the bucket's directory: `objects/` and the key itself where it
 * makes a fair path, with odd characters percent-encoded. Two keys never share a path.
 */
export function readablePath(key: string): string | undefined {
  const segments = key.split('/').map(segmentName);
  if (segments.some((segment) => segment === undefined) || segments.join('/').length > 3000)
    return undefined;
  return `objects/${segments.join('/')}`;
}

/** Where a key lives when its readable path is unfit or taken, as when both `a` and `a/b` exist. */
export function hashedPath(key: string): string {
  return `hashed/${createHash('sha256').update(key).digest('hex')}`;
}

function segmentName(segment: string): string | undefined {
  if (/^\.*$/.test(segment)) return segment === '' ? '%' : segment.replaceAll('.', '%2E');
  const encoded = [...segment]
    .map((character) =>
      /^[\w.,:;=@()' ~!+-]$/.test(character) ? character : encodeURIComponent(character),
    )
    .join('');
  return encoded.length > 255 ? undefined : encoded;
}
