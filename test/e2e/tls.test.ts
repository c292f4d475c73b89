import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { TlsMode } from '../../app/config.ts';
import type { MariaDb } from '../support/mariadb/harness.ts';
import { CHECKED_HOST, present } from '../support/mariadb/tls.ts';
import { type Ended, logLines } from '../support/program.ts';
import {
  backUp,
  expectBackup,
  startTlsWorlds,
  type TlsWorlds,
  tlsSettings,
  verifiesNames,
} from './tls-worlds.ts';
import type { World } from './world.ts';

/** The reason of a refusal; with a library that cannot verify names, its reason instead. */
const orUnknown = (mode: TlsMode, reason: RegExp): RegExp =>
  mode === 'verify-full' && !verifiesNames ? /cannot verify the host's name/ : reason;

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

/** The run was refused in one line, before anything was started. */
function expectRefused({ code, stdout }: Ended, reason: RegExp): void {
  const failed = logLines(stdout).find(({ event }) => event === 'failed');
  expect(failed?.reason ?? stdout).toMatch(reason);
  expect(code).toBe(3);
  expect(stdout).not.toContain('"event":"started"');
}

const settings = (mode?: TlsMode) => tlsSettings(worlds.certificates, mode);

const acceptedWithTls = async (db: MariaDb) =>
  Number((await db.query("SHOW GLOBAL STATUS LIKE 'Ssl_accepts'"))[0]?.Value);

test.each([undefined, 'preferred', 'required', 'verify-ca'] as const)(
  'with TLS_MODE=%s a user who must use TLS gets a backup',
  async (mode) => {
    await expectBackup(world, await backUp(world, settings(mode)));
  },
);

test('TLS_MODE=verify-full makes a backup, or names a library that cannot verify', async () => {
  const ended = await backUp(world, settings('verify-full'));
  if (verifiesNames) await expectBackup(world, ended);
  else expectRefused(ended, /cannot verify the host's name/);
});

test('with TLS_MODE=disabled no session uses TLS', async () => {
  const before = await acceptedWithTls(world.db);
  await expectBackup(world, await backUp(world, { TLS_MODE: 'disabled' }, 'anyone'));
  expect(await acceptedWithTls(world.db)).toBe(before);
});

test('with TLS_MODE=disabled a user who must use TLS gets the reason', async () => {
  expectRefused(
    await backUp(world, { TLS_MODE: 'disabled' }),
    /Access denied for user.*REQUIRE SSL.*TLS_MODE=disabled/,
  );
});

test('a server that requires TLS works without TLS_MODE and refuses disabled', async () => {
  await world.db.query('SET GLOBAL require_secure_transport = ON');
  try {
    await expectBackup(world, await backUp(world, {}, 'anyone'));
    const ended = await backUp(world, { TLS_MODE: 'disabled' }, 'anyone');
    expectRefused(ended, /cannot connect to MySQL.*(REQUIRE SSL|insecure transport)/);
  } finally {
    await world.db.query('SET GLOBAL require_secure_transport = OFF');
  }
});

test.each([undefined, 'preferred', 'disabled'] as const)(
  'with TLS_MODE=%s a server without TLS is backed up',
  async (mode) => {
    await expectBackup(plain, await backUp(plain, settings(mode), 'anyone'));
  },
);

test.each<TlsMode>(['required', 'verify-ca', 'verify-full'])(
  'with TLS_MODE=%s a server without TLS is refused',
  async (mode) => {
    const ended = await backUp(
      plain,
      { ...settings(mode), TLS_CA: worlds.certificates.at('ca.pem') },
      'anyone',
    );
    const reason = new RegExp(`the server offers no TLS, which TLS_MODE=${mode} needs`);
    expectRefused(ended, orUnknown(mode, reason));
  },
);

test('the reason says that the server offers no TLS to a user who must use it', async () => {
  expectRefused(await backUp(plain, {}), /Access denied for user.*REQUIRE SSL.*does not offer/);
});

test.each<TlsMode>(['verify-ca', 'verify-full'])(
  'with TLS_MODE=%s a certificate of an unknown authority is refused',
  async (mode) => {
    await present(worlds.certificates, 'impostor', world.db);
    const reason = /certificate.*must hold the authority that signed/;
    expectRefused(await backUp(world, settings(mode)), orUnknown(mode, reason));
  },
);

test.each<TlsMode>(['verify-ca', 'verify-full'])(
  'with TLS_MODE=%s an expired certificate is refused',
  async (mode) => {
    await present(worlds.certificates, 'expired', world.db);
    const reason = /certificate has expired; the server needs a new/;
    expectRefused(await backUp(world, settings(mode)), orUnknown(mode, reason));
  },
);

test.each([undefined, 'required'] as const)(
  'with TLS_MODE=%s an expired certificate is accepted',
  async (mode) => {
    await present(worlds.certificates, 'expired', world.db);
    await expectBackup(world, await backUp(world, settings(mode)));
  },
);

test('with TLS_MODE=verify-ca any name in the certificate is accepted', async () => {
  await present(worlds.certificates, 'elsewhere', world.db);
  await expectBackup(world, await backUp(world, settings('verify-ca')));
});

test.each([
  ['elsewhere', '127.0.0.1'],
  ['localhost', '127.0.0.1'],
  ['localhost', CHECKED_HOST],
  ['elsewhere', 'localhost'],
])('with TLS_MODE=verify-full a certificate for %s is refused at %s', async (name, host) => {
  await present(worlds.certificates, name, world.db);
  const ended = await backUp(world, { ...settings('verify-full'), HOST: host });
  const reason = /cannot connect to MySQL.*altnames.*HOST must be a name that the certificate has/;
  expectRefused(ended, orUnknown('verify-full', reason));
});

test('localhost is reached at its port, not at the socket of the client library', async () => {
  await expectBackup(world, await backUp(world, { ...settings('verify-ca'), HOST: 'localhost' }));
});

test('a unix socket is used without TLS, and with TLS if TLS_MODE requires it', async () => {
  const before = await acceptedWithTls(world.db);
  await expectBackup(world, await backUp(world, { SOCKET: world.db.socket }, 'anyone'));
  expect(await acceptedWithTls(world.db)).toBe(before);
  await expectBackup(world, await backUp(world, { SOCKET: world.db.socket, TLS_MODE: 'required' }));
});

test('a warning reports a TLS_CA that verifies nothing', async () => {
  const { stdout } = await backUp(world, {
    TLS_MODE: 'required',
    TLS_CA: worlds.certificates.at('stranger.pem'),
  });
  const warnings = logLines(stdout).filter(({ event }) => event === 'warning');
  expect(warnings.map(({ message }) => message)).toContain(
    'TLS_CA is not used with TLS_MODE=required: ' +
      'set TLS_MODE=verify-ca or verify-full to verify the server',
  );
});
