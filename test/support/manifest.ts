/** The folder that the sample lies in. */
export const FOLDER = 'daily/db1/20261122T030000Z/';

/** One of its files, as told by name. */
export const manifestFile = (
  name: string,
  kind: string,
  database: string | null,
  table: string | null,
) => ({
  ...manifestFileOfFormat1(name, kind, database, table),
  largestStatementBytes: kind === 'data' ? 500 : null,
});

const manifestFileOfFormat1 = (
  name: string,
  kind: string,
  database: string | null,
  table: string | null,
) => ({
  key: `${FOLDER}${name}.zst`,
  name,
  kind,
  database,
  table,
  dumpedBytes: 1000,
  storedBytes: 100,
  sha256: 'ab'.repeat(32),
  crc32: 'y/Q5Jg==',
});

/** A manifest as backups wrote it until format 2, as parsed JSON. */
export const goodManifestOfFormat1 = {
  format: 1,
  backupId: '20261122T030000Z',
  source: 'db1',
  tool: { name: 'mydumper-fargate', version: '1' },
  server: { vendor: 'mariadb', version: '10.11' },
  mydumper: { version: '0.10.0', arguments: [] },
  startedAt: '2026-11-22T03:00:00.000Z',
  finishedAt: '2026-11-22T03:10:00.000Z',
  binlog: null,
  consistency: { lock: 'ftwrl', description: 'one point', lockedSeconds: 1 },
  compression: 'zstd',
  databases: ['shop'],
  files: [
    manifestFileOfFormat1('metadata', 'metadata', null, null),
    manifestFileOfFormat1('shop.orders-schema.sql', 'schema', 'shop', 'orders'),
    manifestFileOfFormat1('shop.orders.00001.sql', 'data', 'shop', 'orders'),
  ],
  totals: { files: 3, dumpedBytes: 3000, storedBytes: 300 },
  staging: {
    budgetBytes: 1,
    peakStagedBytes: 1,
    pauses: 0,
    pausedSeconds: 0,
    longestPauseSeconds: 0,
    lockedPausedSeconds: 0,
  },
};

/** The same backup in today's format. */
export const goodManifest = {
  ...goodManifestOfFormat1,
  format: 2,
  server: {
    ...goodManifestOfFormat1.server,
    uuid: null,
    hostname: 'db1.example',
    port: 3306,
    serverId: 1,
    lowerCaseTableNames: 0,
    characterSet: 'utf8mb4',
    collation: 'utf8mb4_general_ci',
    timeZone: 'SYSTEM',
    systemTimeZone: 'UTC',
    sqlMode: 'STRICT_TRANS_TABLES',
    readOnly: false,
    innodbReadOnly: false,
    replica: false,
    replicaLagSeconds: null,
  },
  binlogMissingReason: 'the server writes no binary log',
  databaseDefaults: [{ name: 'shop', characterSet: 'utf8mb4', collation: 'utf8mb4_general_ci' }],
  narrowedBy: ['--no-views'],
  programs: [
    {
      kind: 'trigger',
      database: 'shop',
      name: 'orders_bi',
      table: 'orders',
      definer: 'app@%',
      sqlMode: 'ANSI_QUOTES',
      characterSetClient: 'utf8mb4',
      collationConnection: 'utf8mb4_general_ci',
      databaseCollation: 'utf8mb4_general_ci',
      timeZone: null,
    },
  ],
  programsUnseen: [],
  claim: null,
  files: [
    manifestFile('metadata', 'metadata', null, null),
    manifestFile('shop.orders-schema.sql', 'schema', 'shop', 'orders'),
    manifestFile('shop.orders.00001.sql', 'data', 'shop', 'orders'),
  ],
};
