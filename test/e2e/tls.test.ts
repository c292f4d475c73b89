import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ServerConfig, TlsMode } from '../../app/config.ts';
import type { SessionCipher, Transport } from '../../app/database/tls.ts';
import { checkConnection } from '../../app/mydumper/connection-check.ts';
import { tlsRefusal, toolTls } from '../../app/mydumper/tls.ts';
import { type MydumperVersion, parseVersion } from '../../app/mydumper/version.ts';
import { claimStaging } from '../../app/staging/directory.ts';
import { dropAll, into } from '../restore/setting.ts';
import { certificatesIn } from '../support/certificates.ts';
import type { MariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { serverProgram } from '../support/mariadb/server-program.ts';
import { CHECKED_HOST, present, tlsConfig, withoutTls } from '../support/mariadb/tls.ts';
import { type Ended, logLines, runProgram, temporaryDirectory } from '../support/program.ts';
import { manifestKeys, startWorld, type World } from './world.ts';

const { path: directory, remove } = temporaryDirectory('mf-tls');
const certificates = certificatesIn(directory);
const { at, makeAuthority, makeServer } = certificates;

/** The tool on the PATH; 0.10 built with MySQL's client library cannot verify names. */
const versionOf = (name: string): MydumperVersion => {
  const version = parseVersion(execFileSync(name, ['--version'], { encoding: 'utf8' }));
  if (version === undefined) throw new Error(`not a known ${name}`);
  return version;
};
const mydumper = versionOf('mydumper');
const verifiesNames =
  tlsRefusal(mydumper, { mode: 'verify-full', caFile: at('ca.pem') }) === undefined;
/** Why a mode is refused, whatever the reason would be with a library that knows it. */
const orUnknown = (mode: TlsMode, reason: RegExp): RegExp =>
  mode === 'verify-full' && !verifiesNames ? /cannot verify the host's name/ : reason;

let world: World;
/** Its server offers no TLS. */
let plain: World;

beforeAll(async () => {
  for (const name of ['ca', 'stranger']) makeAuthority(name);
  const names = `DNS:localhost,IP:127.0.0.1,IP:${CHECKED_HOST}`;
  makeServer('good', names, 'ca');
  makeServer('expired', names, 'ca', 0);
  makeServer('impostor', names, 'stranger');
  makeServer('localhost', 'DNS:localhost', 'ca');
  makeServer('elsewhere', 'DNS:db.example.com', 'ca');
  await present(certificates, 'good');
  world = await startWorld({ db: { config: tlsConfig(certificates) } });
  plain = await startWorld({ db: { config: withoutTls((await serverProgram()).vendor) } });
  for (const { db } of [world, plain]) {
    await createShop(db);
    for (const host of ['127.0.0.%', 'localhost']) {
      await db.query(`CREATE USER tls@'${host}' IDENTIFIED BY 'secret' REQUIRE SSL`);
      await db.query(`CREATE USER anyone@'${host}' IDENTIFIED BY 'secret'`);
      for (const user of ['tls', 'anyone']) await db.query(`GRANT ALL ON *.* TO ${user}@'${host}'`);
    }
  }
});
afterAll(async () => {
  await world?.stop();
  await plain?.stop();
  remove();
});
beforeEach(() => present(certificates, 'good', world.db));

async function createShop(db: MariaDb): Promise<void> {
  await db.query('CREATE DATABASE shop');
  await db.query('CREATE TABLE shop.orders (id int PRIMARY KEY, name varchar(20))');
  await db.query("INSERT INTO shop.orders VALUES (1, 'one'), (2, 'two')");
}

/** A backup as a user who may log in with TLS only, or as anyone. */
const run = (
  where: World,
  extra: Record<string, string>,
  user: 'tls' | 'anyone' = 'tls',
): Promise<Ended> =>
  runProgram(where.environment({ USERNAME: user, PASSWORD: 'secret', ...extra }));

async function expectBackup(where: World, { code, stdout, stderr }: Ended): Promise<void> {
  expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({
    code: 0,
    stderr: '',
    stdout: '',
  });
  expect((await manifestKeys(where)).length).toBeGreaterThan(0);
}

/** Refused in one line, before anything was started. */
function expectRefused({ code, stdout }: Ended, reason: RegExp): void {
  const failed = logLines(stdout).find(({ event }) => event === 'failed');
  expect(failed?.reason ?? stdout).toMatch(reason);
  expect(code).toBe(3);
  expect(stdout).not.toContain('"event":"started"');
}

const verifying = (mode: TlsMode, authority = 'ca') => ({
  TLS_MODE: mode,
  TLS_CA: at(`${authority}.pem`),
});

const acceptedWithTls = async (db: MariaDb) =>
  Number((await db.query("SHOW GLOBAL STATUS LIKE 'Ssl_accepts'"))[0]?.Value);

test.each([{}, { TLS_MODE: 'preferred' }, { TLS_MODE: 'required' }, verifying('verify-ca')])(
  'with %o a user who must use TLS gets a backup',
  async (tls) => {
    await expectBackup(world, await run(world, tls));
  },
);

test('with TLS_MODE=verify-full a user who must use TLS gets a backup, or the library is named', async () => {
  const ended = await run(world, verifying('verify-full'));
  if (verifiesNames) await expectBackup(world, ended);
  else expectRefused(ended, /cannot verify the host's name/);
});

test('with TLS_MODE=disabled no session uses TLS', async () => {
  const before = await acceptedWithTls(world.db);
  await expectBackup(world, await run(world, { TLS_MODE: 'disabled' }, 'anyone'));
  expect(await acceptedWithTls(world.db)).toBe(before);
});

test('with TLS_MODE=disabled a user who must use TLS is told why', async () => {
  expectRefused(
    await run(world, { TLS_MODE: 'disabled' }),
    /Access denied for user.*REQUIRE SSL.*TLS_MODE=disabled/,
  );
});

test('a server that takes only TLS is backed up without TLS_MODE, and refuses TLS_MODE=disabled', async () => {
  await world.db.query('SET GLOBAL require_secure_transport = ON');
  try {
    await expectBackup(world, await run(world, {}, 'anyone'));
    const ended = await run(world, { TLS_MODE: 'disabled' }, 'anyone');
    expectRefused(ended, /cannot connect to MySQL.*(REQUIRE SSL|insecure transport)/);
  } finally {
    await world.db.query('SET GLOBAL require_secure_transport = OFF');
  }
});

test.each([{}, { TLS_MODE: 'preferred' }, { TLS_MODE: 'disabled' }])(
  'with %o a server without TLS is backed up',
  async (tls) => {
    await expectBackup(plain, await run(plain, tls, 'anyone'));
  },
);

test.each<TlsMode>(['required', 'verify-ca', 'verify-full'])(
  'with TLS_MODE=%s a server without TLS is refused',
  async (mode) => {
    const ended = await run(plain, verifying(mode), 'anyone');
    const reason = new RegExp(`the server offers no TLS, which TLS_MODE=${mode} needs`);
    expectRefused(ended, orUnknown(mode, reason));
  },
);

test('a user who must use TLS learns that the server offers none', async () => {
  expectRefused(await run(plain, {}), /Access denied for user.*REQUIRE SSL.*does not offer/);
});

test.each<TlsMode>(['verify-ca', 'verify-full'])(
  'with TLS_MODE=%s a server that a stranger vouches for is refused',
  async (mode) => {
    await present(certificates, 'impostor', world.db);
    const reason = /certificate.*must hold the authority that signed/;
    expectRefused(await run(world, verifying(mode)), orUnknown(mode, reason));
  },
);

test.each<TlsMode>(['verify-ca', 'verify-full'])(
  'with TLS_MODE=%s an expired certificate is refused',
  async (mode) => {
    await present(certificates, 'expired', world.db);
    const reason = /certificate has expired; the server needs a new/;
    expectRefused(await run(world, verifying(mode)), orUnknown(mode, reason));
  },
);

test.each([{}, { TLS_MODE: 'required' }])(
  'with %o nothing of a certificate matters',
  async (tls) => {
    await present(certificates, 'expired', world.db);
    await expectBackup(world, await run(world, tls));
  },
);

test('with TLS_MODE=verify-ca the name in the certificate does not matter', async () => {
  await present(certificates, 'elsewhere', world.db);
  await expectBackup(world, await run(world, verifying('verify-ca')));
});

test.each([
  ['elsewhere', '127.0.0.1'],
  ['localhost', '127.0.0.1'],
  ['localhost', CHECKED_HOST],
  ['elsewhere', 'localhost'],
])('with TLS_MODE=verify-full a certificate for %s is refused at %s', async (name, host) => {
  await present(certificates, name, world.db);
  const ended = await run(world, { ...verifying('verify-full'), HOST: host });
  const reason = /cannot connect to MySQL.*altnames.*HOST must be a name that the certificate has/;
  expectRefused(ended, orUnknown('verify-full', reason));
});

test('localhost is reached at its port, not at whatever socket the client library knows', async () => {
  await expectBackup(world, await run(world, { ...verifying('verify-ca'), HOST: 'localhost' }));
});

test('a unix socket is used without TLS, and with TLS where it is required', async () => {
  const before = await acceptedWithTls(world.db);
  await expectBackup(world, await run(world, { SOCKET: world.db.socket }, 'anyone'));
  expect(await acceptedWithTls(world.db)).toBe(before);
  await expectBackup(world, await run(world, { SOCKET: world.db.socket, TLS_MODE: 'required' }));
});

test('a TLS_CA that verifies nothing is warned of', async () => {
  const { stdout } = await run(world, { TLS_MODE: 'required', TLS_CA: at('stranger.pem') });
  const warnings = logLines(stdout).filter(({ event }) => event === 'warning');
  expect(warnings.map(({ message }) => message)).toContain(
    'TLS_CA is not used with TLS_MODE=required: set TLS_MODE=verify-ca or verify-full to verify the server',
  );
});

test.each([{}, { TLS_MODE: 'required' }, verifying('verify-ca')])(
  'with %o a user who must use TLS restores',
  async (tls) => {
    await expectBackup(world, await run(world, { ...tls, DATABASES: 'shop', SOURCE: 'restored' }));
    await dropAll(world.db);
    const user = { USERNAME: 'tls', PASSWORD: 'secret', SOURCE: 'restored', ...tls };
    const { code, stdout } = await runProgram(into(world, world.db, user), [
      'restore',
      'latest',
      '--check',
    ]);
    expect({ code, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stdout: '' });
  },
);

test('a restore whose user must use TLS, without TLS, is refused', async () => {
  await expectBackup(world, await run(world, { SOURCE: 'refused' }));
  const user = { USERNAME: 'tls', PASSWORD: 'secret', SOURCE: 'refused', TLS_MODE: 'disabled' };
  const { code, stdout } = await runProgram(into(world, world.db, user), ['restore', 'latest']);
  expect(code).toBe(3);
  expect(stdout).toMatch(/REQUIRE SSL/);
});

/** What our own connection finds at the good server. */
const GOOD: Transport = {
  encrypted: true,
  get fingerprint() {
    const printed = execFileSync(
      'openssl',
      ['x509', '-in', at('good.pem'), '-noout', '-fingerprint', '-sha1'],
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

/** The tool connects as for a dump or a load, without our own connection before it. */
async function connectAlone(
  name: 'mydumper' | 'myloader',
  db: MariaDb,
  tls: ServerConfig['tls'],
  { host = '127.0.0.1', user = 'tls', ours = 'any' } = {},
): Promise<void> {
  const tool = versionOf(name);
  const server = serverAddress(db, { host, user, password: 'secret', tls });
  const { path, remove: removeStaging } = temporaryDirectory('mf-tls-tool');
  const staging = claimStaging(path);
  try {
    await checkConnection({
      tool,
      binary: name,
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

const trusting = (mode: TlsMode): ServerConfig['tls'] => ({ mode, caFile: at('ca.pem') });

test.each<['mydumper' | 'myloader', TlsMode]>(
  (['mydumper', 'myloader'] as const).flatMap((name) =>
    (['preferred', 'required', 'verify-ca', 'verify-full'] as const).map(
      (mode): ['mydumper' | 'myloader', TlsMode] => [name, mode],
    ),
  ),
)('%s connects by itself with TLS_MODE=%s', async (name, mode) => {
  await connectAlone(name, world.db, trusting(mode), { host: CHECKED_HOST });
});

test.each<['mydumper' | 'myloader', TlsMode, string, RegExp]>([
  ['mydumper', 'verify-ca', 'impostor', /refuses the server that our own connection accepts/],
  ['mydumper', 'verify-full', 'impostor', /refuses the server that our own connection accepts/],
  ['mydumper', 'verify-ca', 'expired', /refuses the server that our own connection accepts/],
  ['myloader', 'verify-ca', 'impostor', /refuses the server that our own connection accepts/],
])(
  '%s refuses by itself, with TLS_MODE=%s, the certificate %s',
  async (name, mode, certificate, reason) => {
    await present(certificates, certificate, world.db);
    await expect(
      connectAlone(name, world.db, trusting(mode), { host: CHECKED_HOST }),
    ).rejects.toThrow(reason);
  },
);

test.runIf(verifiesNames)(
  'mydumper refuses by itself, with TLS_MODE=verify-full, the name of another',
  async () => {
    await present(certificates, 'elsewhere', world.db);
    await expect(
      connectAlone('mydumper', world.db, trusting('verify-full'), { host: CHECKED_HOST }),
    ).rejects.toThrow(/refuses the server/);
  },
);

test.each<TlsMode>(['verify-ca', 'verify-full'])(
  'mydumper refuses by itself, with TLS_MODE=%s, a server that offers no TLS any more',
  async (mode) => {
    await expect(
      connectAlone('mydumper', plain.db, trusting(mode), { user: 'anyone' }),
    ).rejects.toThrow(/refuses the server|cannot connect/);
  },
);

test('a tool that connects without TLS, and we with TLS, is refused by name', async () => {
  const { product, version } = mydumper.library;
  await expect(
    connectAlone('mydumper', plain.db, { mode: 'disabled', caFile: undefined }, { user: 'anyone' }),
  ).rejects.toThrow(
    `with ${product}'s client library ${version} connects without TLS, our own connection with`,
  );
});
