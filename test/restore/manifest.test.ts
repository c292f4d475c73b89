import { expect, test } from 'vitest';
import { readInvocation } from '../../app/config.ts';
import { compareListing } from '../../app/manifest/compare-listing.ts';
import { readManifest } from '../../app/manifest/read.ts';
import type { Manifest } from '../../app/manifest/schema.ts';
import { FOLDER, goodManifest as good, goodManifestOfFormat1 } from '../support/manifest.ts';

type Edited = typeof good;
const edited = (edit: (manifest: Edited) => void): string => {
  const manifest = structuredClone(good);
  edit(manifest);
  return JSON.stringify(manifest);
};
const editFile = (change: Partial<Edited['files'][number]>) =>
  edited((manifest) => Object.assign(manifest.files[2] ?? {}, change));

test('a manifest as the backup writes it is believed', () => {
  expect(readManifest(JSON.stringify(good), FOLDER)).toHaveProperty('manifest');
});

test('a manifest of format 1 reads as format 2 without the new fields', () => {
  const read = readManifest(JSON.stringify(goodManifestOfFormat1), FOLDER);
  const { server, files } = goodManifestOfFormat1;
  const nothing = {
    binlogMissingReason: null,
    databaseDefaults: null,
    narrowedBy: null,
    programs: null,
    programsUnseen: null,
    claim: null,
  };
  expect(read).toEqual({
    manifest: {
      ...goodManifestOfFormat1,
      ...nothing,
      server: {
        ...server,
        uuid: null,
        hostname: null,
        port: null,
        serverId: null,
        lowerCaseTableNames: null,
        characterSet: null,
        collation: null,
        timeZone: null,
        systemTimeZone: null,
        sqlMode: null,
        readOnly: null,
        innodbReadOnly: null,
        replica: null,
        replicaLagSeconds: null,
      },
      files: files.map((file) => ({ ...file, largestStatementBytes: null })),
    },
  });
});

test('a manifest of format 1 is checked like any other', () => {
  const { files, ...rest } = goodManifestOfFormat1;
  const read = readManifest(JSON.stringify({ ...rest, files: files.slice(0, 2) }), FOLDER);
  expect(read).toEqual({
    faults: [expect.stringMatching(/^totals\.files/), expect.anything(), expect.anything()],
  });
  expect(readManifest(JSON.stringify({ ...rest }), FOLDER)).toHaveProperty('faults');
});

test.each([
  ['not JSON', '{"format": 1, "fil', /not JSON/],
  ['an array', '[]', /./],
  ['a later format', edited((manifest) => Object.assign(manifest, { format: 3 })), /later version/],
  [
    'a name that climbs',
    editFile({ name: '../../etc/cron.d/x', key: `${FOLDER}../../etc/cron.d/x.zst` }),
    /not that of a file/,
  ],
  [
    'a name of our own',
    editFile({ name: '.mydumper-fargate.cnf', key: `${FOLDER}.mydumper-fargate.cnf.zst` }),
    /not that of a file/,
  ],
  [
    'half a character in a name',
    editFile({
      name: 'shop.orders\ud800.sql',
      key: `${FOLDER}shop.orders\ud800.sql.zst`,
      table: 'orders\ud800',
    }),
    /not Unicode/,
  ],
  [
    'half a character in a database',
    edited((manifest) => Object.assign(manifest, { databases: ['shop', '\udfff'] })),
    /the database name .* is none/,
  ],
  ['an endless name', editFile({ name: `${'a'.repeat(300)}.sql` }), /too long/],
  [
    'a key of another folder',
    editFile({ key: 'daily/other/20261122T030000Z/shop.orders.00001.sql.zst' }),
    /not in the folder/,
  ],
  [
    'another folder',
    edited((manifest) => Object.assign(manifest, { backupId: '20261122T030001Z' })),
    /not its folder/,
  ],
  [
    'another source',
    edited((manifest) => Object.assign(manifest, { source: 'db2' })),
    /not its folder/,
  ],
  ['rows called definitions', editFile({ kind: 'post' }), /not what its name says/],
  ['rows of another table', editFile({ table: 'users' }), /not what its name says/],
  [
    'a database it does not name',
    edited((manifest) => Object.assign(manifest, { databases: [] })),
    /not among those|not what its name/,
  ],
  [
    'the same file twice',
    edited((manifest) => manifest.files.push(structuredClone(manifest.files[2] as never))),
    /there twice/,
  ],
  ['a file left out', edited((manifest) => manifest.files.pop()), /totals\.files/],
  ['no metadata', edited((manifest) => manifest.files.shift()), /no file metadata/],
  ['an absurd size', editFile({ dumpedBytes: 2 ** 52 }), /absurd/],
  [
    'a statement larger than its file',
    editFile({ largestStatementBytes: 1001 }),
    /larger than the file/,
  ],
  [
    'a program of another database',
    edited((manifest) => Object.assign(manifest.programs[0] ?? {}, { database: 'mysql' })),
    /trigger "mysql\.orders_bi": its database is not among/,
  ],
  [
    'a program without a name',
    edited((manifest) => Object.assign(manifest.programs[0] ?? {}, { name: '' })),
    /its name is none/,
  ],
  [
    'defaults of another database',
    edited((manifest) => Object.assign(manifest.databaseDefaults[0] ?? {}, { name: 'mysql' })),
    /databaseDefaults: "mysql" is not among/,
  ],
  [
    'a claim of another folder',
    edited((manifest) =>
      Object.assign(manifest, { claim: { key: 'claim.json', storedBytes: 1, crc32: 'y/Q5Jg==' } }),
    ),
    /claim is "claim\.json"/,
  ],
  ['a negative size', editFile({ storedBytes: -1 }), /files\.2\.storedBytes/],
  ['a bomb', editFile({ dumpedBytes: 2 ** 40, storedBytes: 100 }), /absurd for what is stored/],
])('%s is not believed', (_case, text, reason) => {
  const read = readManifest(text, FOLDER);
  expect('faults' in read ? read.faults.join('\n') : 'believed').toMatch(reason);
});

test('a listing is held against the manifest', () => {
  const { saw, end } = compareListing(good as unknown as Manifest, FOLDER);
  const [metadata, schema] = good.files;
  expect(saw({ key: `${FOLDER}manifest.json`, bytes: 5 })).toBeUndefined();
  expect(saw({ key: metadata?.key ?? '', bytes: 100 })).toBeUndefined();
  expect(saw({ key: schema?.key ?? '', bytes: 99 })?.reason).toMatch(/has 99 bytes/);
  expect(saw({ key: `${FOLDER}more`, bytes: 1 })?.reason).toMatch(/not in the manifest/);
  const { missing, files } = end();
  expect(missing.map(({ key }) => key)).toEqual([good.files[2]?.key]);
  expect(files.map(({ name }) => name)).toEqual(['metadata']);
});

test('a claim named by the manifest belongs to the folder', () => {
  const claim = { key: `${FOLDER}claim.json`, storedBytes: 7, crc32: 'y/Q5Jg==' };
  const manifest = { ...good, claim } as unknown as Manifest;
  expect(readManifest(JSON.stringify(manifest), FOLDER)).toHaveProperty('manifest');
  const { saw, end } = compareListing(manifest, FOLDER);
  expect(end().missing.map(({ key }) => key)).toContain(claim.key);
  expect(saw({ key: claim.key, bytes: 7 })).toBeUndefined();
  expect(end().claims).toEqual([claim]);
  expect(saw({ key: claim.key, bytes: 8 })?.reason).toMatch(/has 8 bytes/);
  expect(end().claims).toEqual([]);
});

const env = { BUCKET: 'backups', SOURCE: 'db1' };

test.each([
  [['restore', 'yesterday'], env, /BACKUP_ID="yesterday"/],
  [['restore'], { BUCKET: 'backups' }, /SOURCE is required by restore/],
  [['restore', '--as', 'x'], env, /RESTORE_AS needs exactly one database/],
  [['restore', '--databases', 'a', '--as', 'mysql'], env, /must not be a system schema/],
  [['restore', '--schema-only=maybe'], env, /RESTORE_SCHEMA_ONLY="maybe"/],
  [['restore', '--schema-only', '--data-only'], env, /exclude each other/],
  [['list', '20261122T030000Z'], env, /unknown command or argument/],
])('%j is refused', (argv, environment, reason) => {
  expect(() => readInvocation(argv, environment)).toThrow(reason);
});

test('the id of a backup may stand after the command, in a flag or in the environment', () => {
  const idOf = (argv: string[], extra = {}) => {
    const invocation = readInvocation(argv, { ...env, ...extra });
    return invocation.kind === 'run' ? invocation.config.reading.backupId : undefined;
  };
  expect(idOf(['verify'])).toBe('latest');
  expect(idOf(['verify', '20261122T030000Z'])).toBe('20261122T030000Z');
  expect(idOf(['restore', '--backup-id', '20261122T030000Z'])).toBe('20261122T030000Z');
  expect(idOf(['restore'], { BACKUP_ID: '20261122T030000Z' })).toBe('20261122T030000Z');
});
