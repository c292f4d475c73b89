import type { Config } from '../../app/config.ts';
import { readInvocation } from '../../app/config.ts';
import type { Inventory } from '../../app/database/inventory.ts';
import type { Programs } from '../../app/database/programs.ts';
import type { ServerFacts } from '../../app/database/server-facts.ts';
import type { ManifestInput } from '../../app/manifest/build.ts';
import type { ShippedFile } from '../../app/shipping/shipper.ts';

/** The folder of the sample, ending in a slash. */
export const FOLDER = 'daily/db1/20261122T030000Z/';

export const PASSWORD = 'hunter2-geheim';

/** A configuration as the program reads it. */
export function sampleConfig(environment: Record<string, string> = {}): Config {
  const invocation = readInvocation([], {
    BUCKET: 'backups',
    PREFIX: 'daily',
    SOURCE: 'db1',
    PASSWORD,
    KMS_KEY_ID: 'alias/backups',
    ...environment,
  });
  if (invocation.kind !== 'run') throw new Error('not a run');
  return invocation.config;
}

const inventory: Inventory = {
  vendor: 'mariadb',
  version: '10.11.6-MariaDB',
  productHint: undefined,
  engines: ['InnoDB', 'MyISAM'],
  databases: ['a.b', 'shop'],
  tables: [{ database: 'shop', table: 'orders', engine: 'innodb' }],
  views: [],
  triggered: [],
  programmed: [],
  estimatedBytes: 1000,
  largestRowBytes: 0,
  mostColumns: 1,
  managedByAws: false,
  grants: ['GRANT ALL PRIVILEGES ON *.* TO `root`@`%`'],
  literalNames: false,
  session: { net_write_timeout: 2_147_483 },
  patienceSeconds: 300,
};

const facts: ServerFacts = {
  uuid: undefined,
  hostname: 'db1.example',
  port: 3306,
  serverId: 7,
  lowerCaseTableNames: 0,
  characterSet: 'utf8mb4',
  collation: 'utf8mb4_general_ci',
  timeZone: 'SYSTEM',
  systemTimeZone: 'CET',
  sqlMode: 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION',
  writesBinaryLog: true,
  readOnly: true,
  innodbReadOnly: false,
  replica: true,
  replicaLagSeconds: 2,
  databases: [
    { name: 'a.b', characterSet: 'utf8mb4', collation: 'utf8mb4_bin' },
    { name: 'shop', characterSet: 'latin1', collation: 'latin1_swedish_ci' },
  ],
};

const settings = {
  database: 'shop',
  definer: 'app@%',
  sqlMode: 'ANSI_QUOTES',
  characterSetClient: 'utf8mb4',
  collationConnection: 'utf8mb4_general_ci',
  databaseCollation: 'latin1_swedish_ci',
};
const programs: Programs = {
  list: [
    { kind: 'procedure', name: 'close', table: null, timeZone: null, ...settings },
    { kind: 'trigger', name: 'orders_bi', table: 'orders', timeZone: null, ...settings },
    { kind: 'event', name: 'nightly', table: null, timeZone: 'SYSTEM', ...settings },
  ],
  unseen: ['the MySQL user cannot see events (EVENT), so the backup may lack some, of "a.b"'],
};

export function shippedFile(name: string, dumpedBytes: number, storedBytes: number): ShippedFile {
  return {
    name,
    key: `${FOLDER}${name}.zst`,
    stagedBytes: dumpedBytes,
    dumpedBytes,
    storedBytes,
    largestStatementBytes: Math.ceil(dumpedBytes / 2),
    programs: [],
    sha256: 'ab'.repeat(32),
    crc32: 'y/Q5Jg==',
  };
}

/** All input for a manifest, with files in the order of their upload. */
export const sampleInput: ManifestInput = {
  config: sampleConfig(),
  toolVersion: '0.1.0',
  backupId: '20261122T030000Z',
  startedAt: new Date('2026-11-22T03:00:00.123Z'),
  finishedAt: new Date('2026-11-22T03:10:00Z'),
  inventory,
  facts,
  programs,
  programDifferences: [],
  positionUnavailable: undefined,
  mydumper: {
    version: '0.10.0',
    generation: 'classic',
    library: { product: 'MariaDB', version: '10.11.14', tls: true },
  },
  mydumperArguments: ['--defaults-file=/var/tmp/staging/.options.cnf', '--threads=4'],
  lock: {
    plan: 'ftwrl',
    consistency: 'one point in time',
    reason: 'may',
    warnings: [],
    positionUnavailable: undefined,
    ignoredErrors: [],
  },
  lockedSeconds: 1.25,
  metadata: { finished: true, binlog: { file: 'bin.000001', position: 4567, gtid: undefined } },
  claim: { key: `${FOLDER}claim.json`, bytes: 47, crc32: 'GxxLag==' },
  files: [
    shippedFile('shop.orders.00002.sql', 700, 70),
    shippedFile('metadata', 100, 90),
    shippedFile('shop.orders.00001.sql', 9000, 900),
    shippedFile('a.b.t-schema.sql', 80, 60),
    shippedFile('shop-schema-create.sql', 50, 40),
    shippedFile('shop-schema-post.sql', 30, 25),
  ],
  stats: {
    stagedBytes: 0,
    peakStagedBytes: 9000,
    dumpedBytes: 9960,
    stopped: false,
    pauses: 2,
    pausedSeconds: 1.5,
    longestPauseSeconds: 1.25,
    lockedStopSeconds: 0.5,
    longestReactionSeconds: 0.01,
  },
};
