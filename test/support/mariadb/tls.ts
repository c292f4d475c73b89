import { chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs';
import type { Certificates } from '../certificates.ts';
import type { MariaDb } from './harness.ts';
import type { Vendor } from './server-program.ts';

/**
 * MariaDB's client library 3.4 does not check the server's name at 127.0.0.1. At this address it
 * does.
 */
export const CHECKED_HOST = '127.0.0.2';

/** The server reads its certificate from `presented.pem`, which {@link present} writes. */
export function tlsConfig({ at }: Certificates): string[] {
  return [
    `bind-address=127.0.0.1,${CHECKED_HOST}`,
    `ssl-ca=${at('ca.pem')}`,
    `ssl-cert=${at('presented.pem')}`,
    `ssl-key=${at('presented.key')}`,
  ];
}

export function withoutTls(vendor: Vendor): string[] {
  return [vendor === 'mariadb' ? 'skip-ssl' : 'tls-version='];
}

/** Makes a server with {@link tlsConfig} present a certificate, from its start or from now on. */
export async function present({ at }: Certificates, name: string, db?: MariaDb): Promise<void> {
  const presented = at('presented.pem');
  if (existsSync(presented) && readFileSync(presented).equals(readFileSync(at(`${name}.pem`))))
    return;
  for (const kind of ['pem', 'key']) {
    copyFileSync(at(`${name}.${kind}`), at(`presented.${kind}`));
    chmodSync(at(`presented.${kind}`), 0o644);
  }
  // MySQL refuses to reload a certificate that it does not trust, but it starts with one.
  if (db?.vendor === 'mysql') await db.restart();
  else await db?.query('FLUSH SSL');
}
