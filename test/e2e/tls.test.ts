import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TlsMode } from '../../app/config.ts';
import { mydumperArguments } from '../../app/mydumper/arguments.ts';
import { renderOptionFile } from '../../app/mydumper/option-file.ts';
import { certificatesIn } from '../support/certificates.ts';
import { classicEnvironment, generationOf } from '../support/installed-tools.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { type Ended, runProgram, temporaryDirectory } from '../support/program.ts';
import { manifestKeys, startWorld, type World } from './world.ts';

/** Certificates of a CA of our own, and of a stranger that says the same of itself. */
const { path: certificates, remove } = temporaryDirectory('mf-tls');
const { at, makeAuthority, makeServer } = certificatesIn(certificates);

/** Client libraries from MariaDB 11.4 on check no name of a server at 127.0.0.1; at this address they do. */
const CHECKED_HOST = '127.0.0.2';

const serverConfig = (name: string) => [
  `bind-address=127.0.0.1,${CHECKED_HOST}`,
  `ssl-ca=${at('ca.pem')}`,
  `ssl-cert=${at(`${name}.pem`)}`,
  `ssl-key=${at(`${name}.key`)}`,
];

let world: World;
let elsewhere: World;

beforeAll(async () => {
  makeAuthority('ca');
  makeAuthority('stranger');
  makeServer('server', `DNS:localhost,IP:127.0.0.1,IP:${CHECKED_HOST}`, 'ca');
  makeServer('elsewhere', 'DNS:db.example.com', 'ca');
  world = await startWorld({ db: { config: serverConfig('server') } });
  elsewhere = await startWorld({ db: { config: serverConfig('elsewhere') } });
  for (const { db } of [world, elsewhere]) {
    await createBulkDatabase(db, { name: 'bulk', megabytes: 4, tables: 2 });
    // Nobody gets in without TLS: neither we nor mydumper.
    await db.query("CREATE USER tls@'127.0.0.%' IDENTIFIED BY 'secret' REQUIRE SSL");
    await db.query("GRANT ALL ON *.* TO tls@'127.0.0.%'");
  }
});
afterAll(async () => {
  await world?.stop();
  await elsewhere?.stop();
  remove();
});

const run = (where: World, tls: Record<string, string>): Promise<Ended> =>
  runProgram(where.environment({ USERNAME: 'tls', PASSWORD: 'secret', ...tls }));

async function expectBackup(where: World, { code, stdout, stderr }: Ended): Promise<void> {
  expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', stdout: '' });
  expect((await manifestKeys(where)).length).toBeGreaterThan(0);
}

test('a server that takes TLS only is not got into without', async () => {
  const { code, stdout } = await run(world, { TLS_MODE: 'disabled' });
  expect(code).toBe(3);
  expect(stdout).toContain('cannot connect to MySQL at 127.0.0.1:');
});

test.each(['verify-ca', 'verify-full'])(
  'with TLS_MODE=%s a server that a stranger vouches for is refused',
  async (mode) => {
    const { code, stdout } = await run(world, { TLS_MODE: mode, TLS_CA: at('stranger.pem') });
    expect(code).toBe(3);
    expect(stdout).toMatch(/cannot connect to MySQL.*(certificate|self.signed|signature)/i);
  },
);

test('with TLS_MODE=verify-full a server with the name of another is refused', async () => {
  const { code, stdout } = await run(elsewhere, { TLS_MODE: 'verify-full', TLS_CA: at('ca.pem') });
  expect(code).toBe(3);
  expect(stdout).toMatch(/cannot connect to MySQL.*(Hostname|altnames|host)/i);
});

test('mydumper 0.10: with TLS_MODE=verify-ca the name does not matter', async () => {
  const tls = { TLS_MODE: 'verify-ca', TLS_CA: at('ca.pem') };
  await expectBackup(elsewhere, await run(elsewhere, { ...tls, ...classicEnvironment() }));
});

test('localhost is reached at its port, not at whatever socket the client library knows', async () => {
  const { code, stdout } = await run(world, {
    HOST: 'localhost',
    TLS_MODE: 'verify-full',
    TLS_CA: at('ca.pem'),
  });
  expect({ code, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stdout: '' });
});

// Our own connection refuses these before mydumper is started; mydumper must refuse them by itself too.
test.each<[string, () => World, TlsMode, string, number]>([
  ['takes the right server', () => world, 'verify-full', 'ca', 0],
  ['refuses a stranger', () => world, 'verify-ca', 'stranger', 1],
  ['refuses a stranger', () => world, 'verify-full', 'stranger', 1],
  ['refuses the name of another', () => elsewhere, 'verify-full', 'ca', 1],
])('mydumper %s (%#)', (_case, where, mode, authority, exitCode) => {
  const tls = { mode, caFile: at(`${authority}.pem`) };
  const server = serverAddress(where().db, {
    host: CHECKED_HOST,
    user: 'tls',
    password: 'secret',
    tls,
  });
  const { path: directory, remove: removeDump } = temporaryDirectory('mf-tls-dump');
  const generation = generationOf();
  writeFileSync(at('option-file'), renderOptionFile(server, { net_write_timeout: 600 }, generation));
  const plan = {
    generation,
    directory,
    optionFile: at('option-file'),
    threads: 1,
    chunkMiB: 1,
    statementBytes: 65_536,
  } as const;
  const argv = mydumperArguments({
    ...plan,
    ...{
      databases: ['bulk'],
      contents: { databases: ['bulk'], tables: [], views: [], triggered: [], programmed: [] },
      lock: 'none',
      engines: [],
      serverVersion: undefined,
      ignoredErrors: [],
      extraArguments: [],
      server,
    },
  });
  const { status, stderr } = spawnSync('mydumper', argv, { encoding: 'utf8' });
  removeDump();
  expect({ status, stderr: status === exitCode ? '' : stderr }).toEqual({ status: exitCode, stderr: '' });
  if (exitCode !== 0) expect(stderr).toMatch(/(?:TLS\/)?SSL (?:connection )?error/);
});
