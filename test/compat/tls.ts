import { type Certificates, certificatesIn } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/program.ts';

/** Certificates for the server that is backed up; made when the tests start. */
export type Tls = {
  readonly certificates: Certificates;
  readonly config: readonly string[];
  readonly remove: () => void;
};

export function makeTls(): Tls {
  const { path, remove } = temporaryDirectory('compat-tls');
  const certificates = certificatesIn(path);
  certificates.makeAuthority('ca');
  certificates.makeAuthority('stranger');
  certificates.makeServer('server', 'DNS:localhost,IP:127.0.0.1', 'ca');
  const { at } = certificates;
  return {
    certificates,
    config: [`ssl-ca=${at('ca.pem')}`, `ssl-cert=${at('server.pem')}`, `ssl-key=${at('server.key')}`],
    remove,
  };
}
