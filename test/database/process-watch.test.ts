import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { watchProcesses } from '../../app/database/process-watch.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { holdMark } from './marked.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db?.stop());

test('a watch whose connection is killed continues on a new connection', async () => {
  const ids: number[] = [];
  const watch = await watchProcesses(serverAddress(db), await holdMark(db), 20, (_, { id }) => {
    if (ids.at(-1) !== id) ids.push(id);
  });
  onTestFinished(() => watch.end());
  await vi.waitFor(() => expect(ids).toHaveLength(1), { timeout: 20_000 });
  await db.query(`KILL ${ids[0]}`);
  await vi.waitFor(() => expect(ids).toHaveLength(2), { timeout: 20_000 });
});

test('a watch gives its last look to `end` and then leaves no connection', async () => {
  const mark = await holdMark(db);
  let id = 0;
  const watch = await watchProcesses(serverAddress(db), mark, 60_000, () => {
    expect.unreachable('it looks once a minute');
  });
  await watch.end((_, database) => {
    id = database.id;
  });
  expect(id).toBeGreaterThan(0);
  await vi.waitFor(
    async () => {
      const ids = (await db.query('SHOW PROCESSLIST')).map(({ Id }) => Number(Id));
      expect(ids).not.toContain(id);
    },
    { timeout: 20_000 },
  );
});
