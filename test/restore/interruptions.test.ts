import { expect, test } from 'vitest';
import { copy, dies, endsBy, goesOn, inTheMiddle, loadedIds, useInterruptions } from './interrupting.ts';

useInterruptions(['chunks', 'huge']);

test('SIGTERM in the middle ends it with 143; the same command goes on', async () => {
  await endsBy('SIGTERM', 143, 'chunks');
  await goesOn('chunks', await loadedIds());
});

test('SIGKILL in the middle of a file that is loaded in pieces takes myloader along; the same command goes on', async () => {
  await dies('huge');
  await goesOn('huge', await loadedIds());
});

test('a statement that the server refuses ends it with 8 and the reason; once that is mended the same command goes on', async () => {
  const running = await inTheMiddle('chunks');
  // A row of the table that is loaded last is there already.
  await copy.query("INSERT INTO shop.bulk_1 VALUES (36000, 1, NULL, '', 1, '')");
  const { code, stdout } = await running.ended;
  expect(code).toBe(8);
  expect(stdout).toContain('Duplicate entry');
  await copy.query("DELETE FROM shop.bulk_1 WHERE hash = ''");
  await goesOn('chunks', await loadedIds());
});
