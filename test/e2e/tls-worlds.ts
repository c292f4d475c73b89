import { execFileSync } from 'node:child_process';
import { expect } from 'vitest';
import type { TlsMode } from '../../app/config.ts';
import { tlsRefusal } from '../../app/mydumper/tls.ts';
import { type MydumperVersion, parseVersion } from '../../app/mydumper/version.ts';
import { type Certificates, certificatesIn } from '../support/certificates.ts';
import type { MariaDb } from '../support/mariadb/harness.ts';
import { serverProgram } from '../support/mariadb/server-program.ts';
import { CHECKED_HOST, present, tlsConfig, withoutTls } from '../support/mariadb/tls.ts';
import { type Ended, runProgram, temporaryDirectory } from '../support/program.ts';
import { manifestKeys, startWorld, type World } from './world.ts';

/**
 * Two worlds with the users `tls`, who must use TLS, and `anyone`. The server of `plain` offers no
 * TLS.
 */
export type TlsWorlds = {
  readonly certificates: Certificates;
  readonly world: World;
  readonly plain: World;
  readonly stop: () => Promise<void>;
};

export async function startTlsWorlds(): Promise<TlsWorlds> {
  const { path, remove } = temporaryDirectory('mf-tls');
  const certificates = certificatesIn(path);
  makeCertificates(certificates);
  await present(certificates, 'good');
  const worlds: World[] = [];
  const stop = async () => {
    for (const world of worlds) await world.stop();
    remove();
  };
  try {
    const world = await startWorld({ db: { config: tlsConfig(certificates) } });
    worlds.push(world);
    const plain = await startWorld({ db: { config: withoutTls((await serverProgram()).vendor) } });
    worlds.push(plain);
    for (const { db } of worlds) await fill(db);
    return { certificates, world, plain, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function makeCertificates({ makeAuthority, makeServer }: Certificates): void {
  for (const name of ['ca', 'stranger']) makeAuthority(name);
  const names = `DNS:localhost,IP:127.0.0.1,IP:${CHECKED_HOST}`;
  makeServer('good', names, 'ca');
  makeServer('expired', names, 'ca', 0);
  makeServer('impostor', names, 'stranger');
  makeServer('localhost', 'DNS:localhost', 'ca');
  makeServer('elsewhere', 'DNS:db.example.com', 'ca');
}

async function fill(db: MariaDb): Promise<void> {
  await db.query('CREATE DATABASE shop');
  await db.query('CREATE TABLE shop.orders (id int PRIMARY KEY, name varchar(20))');
  await db.query("INSERT INTO shop.orders VALUES (1, 'one'), (2, 'two')");
  for (const host of ['127.0.0.%', 'localhost']) {
    await db.query(`CREATE USER tls@'${host}' IDENTIFIED BY 'secret' REQUIRE SSL`);
    await db.query(`CREATE USER anyone@'${host}' IDENTIFIED BY 'secret'`);
    for (const user of ['tls', 'anyone']) await db.query(`GRANT ALL ON *.* TO ${user}@'${host}'`);
  }
}

/** The version of the mydumper on the PATH. */
export function mydumperVersion(): MydumperVersion {
  const version = parseVersion(execFileSync('mydumper', ['--version'], { encoding: 'utf8' }));
  if (version === undefined) throw new Error('not a known mydumper');
  return version;
}

/** 0.10 built with MySQL's client library cannot verify names. */
export const verifiesNames =
  tlsRefusal(mydumperVersion(), { mode: 'verify-full', caFile: '/ca.pem' }) === undefined;

/** The variables for a mode; those that verify trust the authority of the good certificate. */
export function tlsSettings({ at }: Certificates, mode?: TlsMode): Record<string, string> {
  if (mode === undefined) return {};
  const isVerified = mode === 'verify-ca' || mode === 'verify-full';
  return isVerified ? { TLS_MODE: mode, TLS_CA: at('ca.pem') } : { TLS_MODE: mode };
}

/** Makes a backup as the user `tls` or `anyone`. */
export const backUp = (
  where: World,
  extra: Record<string, string>,
  user: 'tls' | 'anyone' = 'tls',
): Promise<Ended> =>
  runProgram(where.environment({ USERNAME: user, PASSWORD: 'secret', ...extra }));

export async function expectBackup(where: World, { code, stdout, stderr }: Ended): Promise<void> {
  expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({
    code: 0,
    stderr: '',
    stdout: '',
  });
  expect((await manifestKeys(where)).length).toBeGreaterThan(0);
}
