import type { TlsMode } from '../../../app/config.ts';
import { type Pair, Refused, type Row } from '../row.ts';
import { backUp } from '../runs.ts';
import { once } from './loads.ts';

const tiny = once(async ({ db }: Pair): Promise<void> => {
  await db.query('CREATE DATABASE tiny');
  await db.query('CREATE TABLE tiny.t (id int PRIMARY KEY)');
  await db.query('INSERT INTO tiny.t VALUES (1), (2)');
  for (const [user, requirement] of [
    ['secure', 'REQUIRE SSL'],
    ['plain', ''],
  ]) {
    await db.query(`CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY 'geheim' ${requirement}`);
    await db.query(`GRANT ALL ON *.* TO ${user}@'127.0.0.1'`);
  }
});

/** The server takes no connection of `secure` without TLS, neither ours nor mydumper's. */
function tlsRow(mode: TlsMode, user: 'secure' | 'plain', promise: string): Row {
  return {
    id: `tls-${mode}`,
    part: 'backup',
    promise,
    run: async (pair) => {
      await tiny(pair);
      const { at } = pair.tls.certificates;
      const base = {
        SOURCE: `tls-${mode}`,
        DATABASES: 'tiny',
        USERNAME: user,
        PASSWORD: 'geheim',
        TLS_MODE: mode,
      };
      const verifies = mode === 'verify-ca' || mode === 'verify-full';
      await backUp(pair.world, verifies ? { ...base, TLS_CA: at('ca.pem') } : base);
      if (!verifies) return undefined;
      const refused = await backUp(pair.world, { ...base, TLS_CA: at('stranger.pem') }).then(
        () => false,
        (error: unknown) => error instanceof Refused,
      );
      if (!refused) throw new Error('a server of another authority is not refused');
      return undefined;
    },
  };
}

export const tlsRows: readonly Row[] = [
  tlsRow('disabled', 'plain', '`TLS_MODE=disabled`'),
  tlsRow('preferred', 'plain', '`TLS_MODE=preferred`'),
  tlsRow('required', 'secure', '`TLS_MODE=required`: every connection uses TLS'),
  tlsRow('verify-ca', 'secure', '`TLS_MODE=verify-ca`: TLS with a server of this authority, no other'),
  tlsRow(
    'verify-full',
    'secure',
    '`TLS_MODE=verify-full`: TLS with a server of this authority and name, no other',
  ),
];
