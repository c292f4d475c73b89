import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ServerConfig, TlsMode } from '../../app/config.ts';
import type { SessionCipher, Transport } from '../../app/database/tls.ts';
import { checkConnection } from '../../app/mydumper/connection-check.ts';
import { toolTls } from '../../app/mydumper/tls.ts';
import { claimStaging } from '../../app/staging/directory.ts';
import type { MariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { CHECKED_HOST, present } from '../support/mariadb/tls.ts';
import { temporaryDirectory } from '../support/program.ts';
import { mydumperVersion, startTlsWorlds, type TlsWorlds, verifiesNames } from './tls-worlds.ts';
import type { World } from './world.ts';

let worlds: TlsWorlds;
let world: World;
/** Its server offers no TLS. */
let plain: World;

beforeAll(async () => {
  worlds = await startTlsWorlds();
  ({ world, plain } = worlds);
});
afterAll(() => worlds?.stop());
beforeEach(() => present(worlds.certificates, 'good', world.db));

/** The result of our own connection to the good server. */
const GOOD: Transport = {
  encrypted: true,
  get fingerprint() {
    const printed = execFileSync(
      'openssl',
      ['x509', '-in', worlds.certificates.at('good.pem'), '-noout', '-fingerprint', '-sha1'],
      {
        encoding: 'utf8',
      },
    );
    return /=(.*)/.exec(printed)?.[1];
  },
};
const STATUS = { mariadb: 'information_schema', mysql: 'performance_schema' } as const;
const cipherOf = ({ vendor }: MariaDb, ours: string): SessionCipher => ({
  ours,
  from: `${STATUS[vendor]}.session_status WHERE VARIABLE_NAME = 'Ssl_cipher'`,
});

/** Lets mydumper connect as for a dump, without our own connection before it. */
async function connectAlone(
  db: MariaDb,
  tls: ServerConfig['tls'],
  { host = '127.0.0.1', user = 'tls', ours = 'any' } = {},
): Promise<void> {
  const tool = mydumperVersion();
  const server = serverAddress(db, { host, user, password: 'secret', tls });
  const { path, remove: removeStaging } = temporaryDirectory('mf-tls-tool');
  const staging = claimStaging(path);
  try {
    await checkConnection({
      tool,
      binary: 'mydumper',
      searchPath: process.env.PATH ?? '',
      server,
      tls: toolTls(tool, tls, GOOD),
      cipher: cipherOf(db, ours),
      extraArguments: [],
      staging,
      signal: new AbortController().signal,
    });
  } finally {
    staging.clear();
    removeStaging();
  }
}

const trusting = (mode: TlsMode): ServerConfig['tls'] => ({
  mode,
  caFile: worlds.certificates.at('ca.pem'),
});

test.each<TlsMode>(['preferred', 'required', 'verify-ca', 'verify-full'])(
  'mydumper connects by itself with TLS_MODE=%s',
  async (mode) => {
    await connectAlone(world.db, trusting(mode), { host: CHECKED_HOST });
  },
);

test.each<[TlsMode, string]>([
  ['verify-ca', 'impostor'],
  ['verify-full', 'impostor'],
  ['verify-ca', 'expired'],
])(
  'mydumper refuses by itself, with TLS_MODE=%s, the certificate %s',
  async (mode, certificate) => {
    await present(worlds.certificates, certificate, world.db);
    await expect(connectAlone(world.db, trusting(mode), { host: CHECKED_HOST })).rejects.toThrow(
      /refuses the server that our own connection accepts/,
    );
  },
);

test.runIf(verifiesNames)(
  'mydumper refuses by itself, with TLS_MODE=verify-full, another name',
  async () => {
    await present(worlds.certificates, 'elsewhere', world.db);
    await expect(
      connectAlone(world.db, trusting('verify-full'), { host: CHECKED_HOST }),
    ).rejects.toThrow(/refuses the server/);
  },
);

test.each<TlsMode>(['verify-ca', 'verify-full'])(
  'mydumper refuses by itself, with TLS_MODE=%s, a server without TLS',
  async (mode) => {
    await expect(connectAlone(plain.db, trusting(mode), { user: 'anyone' })).rejects.toThrow(
      /refuses the server|cannot connect/,
    );
  },
);

test('mydumper that connects without TLS when we use TLS is refused, with its library', async () => {
  const { product, version } = mydumperVersion().library;
  await expect(
    connectAlone(plain.db, { mode: 'disabled', caFile: undefined }, { user: 'anyone' }),
  ).rejects.toThrow(
    `with ${product}'s client library ${version} connects without TLS, our own connection with`,
  );
});
