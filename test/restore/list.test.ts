import { expect, test } from 'vitest';
import { type Ended, runProgram } from '../support/program.ts';
import { copy, folder, put, useKeptBackup, world } from './kept-backup.ts';

useKeptBackup();

test('list shows complete, incomplete and damaged backups of one source or of all', async () => {
  await put('test-db/20200101T000000Z/shop.t.sql', 'x');
  // A run that failed before it had stored a file leaves this.
  await put('test-db/20200103T000000Z/claim.json', '{}');
  await put('other/20200102T000000Z/manifest.json', '{}');
  const all = await runProgram(world.environment({ SOURCE: '', HOST: '' }), ['list', '--json']);
  const { backups } = JSON.parse(all.stdout) as { backups: Record<string, unknown>[] };
  expect(backups.map(({ source, backupId, state }) => [source, backupId, state])).toEqual([
    ['other', '20200102T000000Z', 'bad manifest'],
    ['test-db', '20200101T000000Z', 'incomplete'],
    ['test-db', '20200103T000000Z', 'incomplete'],
    ['test-db', folder.split('/').at(-2), 'complete'],
  ]);
  expect(backups[3]).toMatchObject({
    summary: { databases: ['shop'], lock: 'ftwrl', compression: 'zstd' },
  });
  const before = world.s3.requests.length;
  const one = await runProgram(world.environment(), ['list']);
  expect(one.code).toBe(0);
  expect(one.stdout).toMatch(/BACKUP +AGE +SOURCE/);
  expect(one.stdout).toContain('incomplete: no manifest');
  expect(one.stdout).not.toContain('other');
  // One listing of folders, one listing for each manifest, one read of each manifest, and no
  // request for other objects.
  expect(
    world.s3.requests
      .slice(before)
      .map(({ operation }) => operation)
      .toSorted(),
  ).toEqual(['GetObject', ...Array(4).fill('ListObjectsV2')]);
  expect((await runProgram(world.environment(), ['list', '--all'])).stdout).toContain('other');
});

test.each([
  [['restore', '20200101T000000Z'], {}, 3, /no backup 20200101T000000Z/],
  [['verify'], { SOURCE: 'nowhere' }, 3, /sources there: test-db/],
  [
    ['restore', '--databases', 'nowhere'],
    {},
    3,
    /\\"nowhere\\" not in the backup; it holds \\"shop\\"/,
  ],
  [['restore', '--tables', 'no*where'], {}, 3, /no table or view of the backup matches/],
  [['restore'], { PASSWORD: 'wrong' }, 3, /cannot connect to MySQL/],
] as const)('%j with %j is refused with %i', async (argv, extra, code, reason) => {
  const ended = await restoreRun(argv, extra);
  expect(ended.code).toBe(code);
  expect(ended.stdout + ended.stderr).toMatch(reason);
});

function restoreRun(argv: readonly string[], extra: Record<string, string>): Promise<Ended> {
  return runProgram(
    world.environment({ HOST: copy.host, PORT: String(copy.port), ...extra }),
    argv,
  );
}
