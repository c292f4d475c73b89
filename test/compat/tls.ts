import { type Certificates, certificatesIn } from '../support/certificates.ts';
import { CHECKED_HOST, present, tlsConfig } from '../support/mariadb/tls.ts';
import { temporaryDirectory } from '../support/program.ts';

/** Certificates for the server that is backed up. It presents `good` unless a row changes that. */
export type Tls = {
  readonly certificates: Certificates;
  readonly config: readonly string[];
  readonly remove: () => void;
};

export async function makeTls(): Promise<Tls> {
  const { path, remove } = temporaryDirectory('compat-tls');
  const certificates = certificatesIn(path);
  const { makeAuthority, makeServer } = certificates;
  const names = `DNS:localhost,IP:127.0.0.1,IP:${CHECKED_HOST}`;
  makeAuthority('ca');
  makeAuthority('stranger');
  makeServer('good', names, 'ca');
  makeServer('expired', names, 'ca', 0);
  makeServer('elsewhere', 'DNS:db.example.com', 'ca');
  await present(certificates, 'good');
  return { certificates, config: tlsConfig(certificates), remove };
}
