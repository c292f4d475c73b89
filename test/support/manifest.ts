/** The folder that the sample lies in. */
export const FOLDER = 'daily/db1/20261122T030000Z/';

/** One of its files, as told by name. */
export const manifestFile = (name: string, kind: string, database: string | null, table: string | null) => ({
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

/** A manifest as a backup writes it, in the form that JSON has. */
export const goodManifest = {
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
    manifestFile('metadata', 'metadata', null, null),
    manifestFile('shop.orders-schema.sql', 'schema', 'shop', 'orders'),
    manifestFile('shop.orders.00001.sql', 'data', 'shop', 'orders'),
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
