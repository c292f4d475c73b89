import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildManifest, type ManifestInput } from '../../app/manifest/build.ts';
import { manifestSchema } from '../../app/manifest/schema.ts';
import { PASSWORD, sampleConfig, sampleInput, shippedFile } from './samples.ts';

test('a built manifest passes the schema as it is', () => {
  const manifest = buildManifest(sampleInput);
  expect(manifestSchema.parse(manifest)).toEqual(manifest);
  expect(manifestSchema.parse(JSON.parse(JSON.stringify(manifest)))).toEqual(manifest);
});

test('the manifest holds the facts of the run', () => {
  expect(buildManifest(sampleInput)).toMatchObject({
    format: 2,
    backupId: '20261122T030000Z',
    source: 'db1',
    tool: { name: 'mydumper-fargate', version: '0.1.0' },
    server: {
      vendor: 'mariadb',
      version: '10.11.6-MariaDB',
      uuid: null,
      hostname: 'db1.example',
      port: 3306,
      serverId: 7,
      lowerCaseTableNames: 0,
      characterSet: 'utf8mb4',
      collation: 'utf8mb4_general_ci',
      timeZone: 'SYSTEM',
      systemTimeZone: 'CET',
      sqlMode: 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION',
      readOnly: true,
      innodbReadOnly: false,
      replica: true,
      replicaLagSeconds: 2,
    },
    mydumper: { version: '0.10.0', arguments: sampleInput.mydumperArguments },
    startedAt: '2026-11-22T03:00:00.123Z',
    finishedAt: '2026-11-22T03:10:00.000Z',
    binlog: { file: 'bin.000001', position: 4567, gtid: null },
    consistency: { lock: 'ftwrl', description: 'one point in time', lockedSeconds: 1.25 },
    compression: 'zstd',
    binlogMissingReason: null,
    databases: ['a.b', 'shop'],
    databaseDefaults: sampleInput.facts.databases,
    narrowedBy: [],
    programs: sampleInput.programs.list,
    programsUnseen: sampleInput.programs.unseen,
    claim: {
      key: 'daily/db1/20261122T030000Z/claim.json',
      storedBytes: 47,
      crc32: 'GxxLag==',
    },
    staging: {
      budgetBytes: sampleInput.config.staging.budgetBytes,
      peakStagedBytes: 9000,
      pauses: 2,
      pausedSeconds: 1.5,
      longestPauseSeconds: 1.25,
      lockedPausedSeconds: 0.5,
    },
  });
});

test('files are ordered by name and classified, and the totals are their sums', () => {
  const { files, totals } = buildManifest(sampleInput);
  expect(files.map(({ name, kind, database, table }) => [name, kind, database, table])).toEqual([
    ['a.b.t-schema.sql', 'schema', 'a.b', 't'],
    ['metadata', 'metadata', null, null],
    ['shop-schema-create.sql', 'schema', 'shop', null],
    ['shop-schema-post.sql', 'post', 'shop', null],
    ['shop.orders.00001.sql', 'data', 'shop', 'orders'],
    ['shop.orders.00002.sql', 'data', 'shop', 'orders'],
  ]);
  expect(files.at(-1)).toEqual({
    key: 'daily/db1/20261122T030000Z/shop.orders.00002.sql.zst',
    name: 'shop.orders.00002.sql',
    kind: 'data',
    database: 'shop',
    table: 'orders',
    dumpedBytes: 700,
    storedBytes: 70,
    largestStatementBytes: 350,
    sha256: 'ab'.repeat(32),
    crc32: 'y/Q5Jg==',
  });
  const withLargest = files.filter(({ largestStatementBytes }) => largestStatementBytes !== null);
  expect(withLargest.map(({ kind }) => kind)).toEqual(['data', 'data']);
  expect(totals).toEqual({ files: 6, dumpedBytes: 9960, storedBytes: 1185 });
});

test('any files in any order make the same manifest', () => {
  const file = fc
    .tuple(fc.string({ minLength: 1 }), fc.nat(), fc.nat())
    .map(([name, dumped, stored]) => shippedFile(name, dumped, stored));
  const some = fc.uniqueArray(file, { selector: ({ name }) => name, maxLength: 20 });
  const twoOrders = some.chain((files) =>
    fc.tuple(fc.constant(files), fc.shuffledSubarray(files, { minLength: files.length })),
  );
  fc.assert(
    fc.property(twoOrders, ([files, shuffled]) => {
      const manifest = buildManifest({ ...sampleInput, files });
      expect(buildManifest({ ...sampleInput, files: shuffled })).toEqual(manifest);
      expect(manifestSchema.parse(manifest)).toEqual(manifest);
      expect(manifest.totals.storedBytes).toBe(
        files.reduce((sum, each) => sum + each.storedBytes, 0),
      );
    }),
  );
});

test('a fact that was not recorded is null', () => {
  const bare: ManifestInput = {
    ...sampleInput,
    lockedSeconds: undefined,
    metadata: { finished: true, binlog: undefined },
    files: [],
  };
  const manifest = manifestSchema.parse(buildManifest(bare));
  expect(manifest.binlog).toBeNull();
  expect(manifest.binlogMissingReason).toBe('mydumper recorded none');
  expect(manifest.consistency.lockedSeconds).toBeNull();
  expect(manifest.totals).toEqual({ files: 0, dumpedBytes: 0, storedBytes: 0 });

  const binlog = { file: undefined, position: undefined, gtid: '0-1-23' };
  const { binlog: recorded } = buildManifest({ ...bare, metadata: { finished: true, binlog } });
  expect(recorded).toEqual({ file: null, position: null, gtid: '0-1-23' });
});

test('the manifest holds the reason for a missing position, and no reason with a position', () => {
  const positionUnavailable = 'the user may not see it';
  const without = {
    ...sampleInput,
    positionUnavailable,
    metadata: { finished: true, binlog: undefined },
  };
  expect(buildManifest(without)).toMatchObject({
    binlog: null,
    binlogMissingReason: positionUnavailable,
  });
  expect(buildManifest({ ...sampleInput, positionUnavailable }).binlogMissingReason).toBeNull();
});

test('the manifest holds the flags that narrow the dump, regardless of their spelling', () => {
  const config = sampleConfig({
    MYDUMPER_ARGS: "-Wd --where 'id < 5' --rows=1000 --filter-regex=^a",
  });
  expect(buildManifest({ ...sampleInput, config }).narrowedBy).toEqual([
    '--no-views',
    '--no-data',
    '--where=id < 5',
    '--regex=^a',
  ]);
});

test('the manifest holds no secret', () => {
  const config = sampleConfig({ USERNAME: 'backup-user' });
  const text = JSON.stringify(buildManifest({ ...sampleInput, config }));
  expect(config.server.password).toBe(PASSWORD);
  expect(text).not.toContain(PASSWORD);
  expect(text).not.toContain('GRANT');
  expect(text).not.toContain('AWS');
});
