import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { dropAll, into } from '../restore/setting.ts';
import { present } from '../support/mariadb/tls.ts';
import { runProgram } from '../support/program.ts';
import { backUp, expectBackup, startTlsWorlds, type TlsWorlds, tlsSettings } from './tls-worlds.ts';
import type { World } from './world.ts';

let worlds: TlsWorlds;
let world: World;

beforeAll(async () => {
  worlds = await startTlsWorlds();
  ({ world } = worlds);
});
afterAll(() => worlds?.stop());
beforeEach(() => present(worlds.certificates, 'good', world.db));

test.each([undefined, 'required', 'verify-ca'] as const)(
  'with TLS_MODE=%s a user who must use TLS restores',
  async (mode) => {
    const tls = tlsSettings(worlds.certificates, mode);
    await expectBackup(
      world,
      await backUp(world, { ...tls, DATABASES: 'shop', SOURCE: 'restored' }),
    );
    await dropAll(world.db);
    const user = { USERNAME: 'tls', PASSWORD: 'secret', SOURCE: 'restored', ...tls };
    const { code, stdout } = await runProgram(into(world, world.db, user), [
      'restore',
      'latest',
      '--check',
    ]);
    expect({ code, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stdout: '' });
  },
);

test('a restore without TLS is refused when its user must use TLS', async () => {
  await expectBackup(world, await backUp(world, { SOURCE: 'refused' }));
  const user = { USERNAME: 'tls', PASSWORD: 'secret', SOURCE: 'refused', TLS_MODE: 'disabled' };
  const { code, stdout } = await runProgram(into(world, world.db, user), ['restore', 'latest']);
  expect(code).toBe(3);
  expect(stdout).toMatch(/REQUIRE SSL/);
});
