import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase } from '../../app/database/connection.ts';
import {
  type Replication,
  readReplication,
  replicationOf,
} from '../../app/database/replication.ts';
import { readOnlyManifest } from '../support/backup-folder.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { runProgram } from '../support/program.ts';
import { BUCKET, startWorld } from './world.ts';

const WAIT = { timeout: 60_000, interval: 20 };
let source: MariaDb;
let replica: MariaDb;

beforeAll(async () => {
  source = await startMariaDb({ config: ['log-bin=binlog', 'server-id=1'] });
  replica = await startMariaDb({ config: ['server-id=2', 'read-only=ON'] });
  await source.query("CREATE USER copies@'127.0.0.1' IDENTIFIED BY 'x'");
  await source.query("GRANT REPLICATION SLAVE ON *.* TO copies@'127.0.0.1'");
  const words = source.vendor === 'mysql' ? ['REPLICATION SOURCE', 'SOURCE'] : ['MASTER', 'MASTER'];
  const key = source.vendor === 'mysql' ? ', GET_SOURCE_PUBLIC_KEY = 1' : '';
  const [what, prefix] = words;
  const settings =
    `${prefix}_HOST = '127.0.0.1', ${prefix}_PORT = ${source.port}, ${prefix}_USER = 'copies', ` +
    `${prefix}_PASSWORD = 'x'${key}`;
  await replica.query(`CHANGE ${what} TO ${settings}`);
  await replica.query('START REPLICA');
  await source.query('CREATE DATABASE shop');
  await source.query('CREATE TABLE shop.orders (id int PRIMARY KEY)');
  await source.query('INSERT INTO shop.orders VALUES (1), (2)');
  await vi.waitFor(async () => {
    expect(await replica.query('SELECT id FROM shop.orders')).toHaveLength(2);
  }, WAIT);
});
afterAll(async () => {
  await replica?.stop();
  await source?.stop();
});

async function backUp(db: MariaDb) {
  const world = await startWorld({ db });
  onTestFinished(() => world.stop());
  const { code, stdout } = await runProgram(world.environment());
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  return (await readOnlyManifest(world.s3, BUCKET)).server;
}

test('the manifest of a backup of a replica says so and records its lag', async () => {
  expect(await backUp(replica)).toMatchObject({
    serverId: 2,
    readOnly: true,
    innodbReadOnly: false,
    replica: true,
    replicaLagSeconds: expect.any(Number),
  });
});

test('the manifest of a backup of a source says that it is no replica', async () => {
  expect(await backUp(source)).toMatchObject({
    serverId: 1,
    readOnly: false,
    replica: false,
    replicaLagSeconds: null,
  });
});

async function replicationAs(db: MariaDb, account: { user?: string; password?: string } = {}) {
  const database = await openDatabase(serverAddress(db, account));
  onTestFinished(database.close);
  return await readReplication(database);
}

test('the lag of a replica with a stopped applier is unknown', async () => {
  await replica.query('STOP REPLICA SQL_THREAD');
  onTestFinished(async () => void (await replica.query('START REPLICA SQL_THREAD')));
  expect(await replicationAs(replica)).toEqual({ replica: true, replicaLagSeconds: undefined });
});

test('without REPLICATION CLIENT the replica state is unknown, without an error', async () => {
  await source.query("CREATE USER poor@'127.0.0.1' IDENTIFIED BY 'x'");
  await vi.waitFor(async () => {
    const poor = { user: 'poor', password: 'x' };
    expect(await replicationAs(replica, poor)).toEqual({
      replica: undefined,
      replicaLagSeconds: undefined,
    });
  }, WAIT);
});

test.each<[string, Parameters<typeof replicationOf>[0], Replication]>([
  ['no source', [], { replica: false, replicaLagSeconds: undefined }],
  ['one source', [{ Seconds_Behind_Source: 7 }], { replica: true, replicaLagSeconds: 7 }],
  [
    'the longest of several',
    [{ Seconds_Behind_Master: 7 }, { Seconds_Behind_Master: 9 }],
    { replica: true, replicaLagSeconds: 9 },
  ],
  [
    'one of several is stopped',
    [{ Seconds_Behind_Master: 7 }, { Seconds_Behind_Master: null }],
    { replica: true, replicaLagSeconds: undefined },
  ],
])('the lag of a replica: %s', (_what, rows, replication) => {
  expect(replicationOf(rows)).toEqual(replication);
});
