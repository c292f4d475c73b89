import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSelfSigned, openssl } from './openssl.ts';

/** Certificates in a directory, each as `<name>.pem` with its key as `<name>.key`. */
export type Certificates = {
  readonly at: (file: string) => string;
  /** Makes a certificate authority. All authorities have the same subject. */
  readonly makeAuthority: (name: string) => void;
  /**
   * A server's certificate for these names, as `subjectAltName` takes them, signed by the
   * authority.
   */
  readonly makeServer: (name: string, names: string, authority: string, days?: number) => void;
};

export function certificatesIn(directory: string): Certificates {
  const at = (file: string) => join(directory, file);
  chmodSync(directory, 0o755);
  return {
    at,
    makeAuthority: (name) =>
      makeSelfSigned('Test CA', 'basicConstraints=critical,CA:TRUE', {
        certificate: at(`${name}.pem`),
        key: at(`${name}.key`),
      }),
    makeServer: (name, names, authority, days = 2) => {
      const key = at(`${name}.key`);
      const request = at(`${name}.csr`);
      const kind = ['-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=db.example.com'];
      openssl('req', ...kind, '-keyout', key, '-out', request);
      writeFileSync(at(`${name}.ext`), `subjectAltName=${names}\n`);
      const signer = [
        '-CA',
        at(`${authority}.pem`),
        '-CAkey',
        at(`${authority}.key`),
        '-CAcreateserial',
      ];
      const signed = [...signer, '-days', String(days), '-extfile', at(`${name}.ext`)];
      openssl('x509', '-req', '-in', request, ...signed, '-out', at(`${name}.pem`));
      chmodSync(key, 0o644); // the server may run as another user
    },
  };
}
