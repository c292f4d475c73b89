import { execFileSync } from 'node:child_process';

export function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

/**
 * Makes a key and a certificate that it signs itself, good for two days; `extension` as `-addext`
 * takes it. Both are paths of PEM files.
 */
export function makeSelfSigned(
  commonName: string,
  extension: string,
  { certificate, key }: { readonly certificate: string; readonly key: string },
): void {
  const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${commonName}`, '-addext', extension];
  openssl('req', ...kind, ...subject, '-keyout', key, '-out', certificate);
}
