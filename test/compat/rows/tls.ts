import type { TlsMode } from '../../../app/config.ts';
import { CHECKED_HOST, present } from '../../support/mariadb/tls.ts';
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
    for (const host of ['127.0.0.%', 'localhost']) {
      await db.query(`CREATE USER ${user}@'${host}' IDENTIFIED BY 'geheim' ${requirement}`);
      await db.query(`GRANT ALL ON *.* TO ${user}@'${host}'`);
    }
  }
});

/** Backs up over TCP. Every client library verifies the server's name at this address. */
async function backUpTiny(pair: Pair, environment: Record<string, string>): Promise<void> {
  const base = { SOURCE: 'tls', DATABASES: 'tiny', HOST: CHECKED_HOST, PASSWORD: 'geheim' };
  await backUp(pair.world, { ...base, ...environment });
}

async function expectRefused(what: string, made: Promise<void>): Promise<void> {
  const outcome = await made.then(
    () => 'backed up',
    (error: unknown) => (error instanceof Refused ? 'refused' : error),
  );
  if (outcome !== 'refused') throw new Error(`${what}: ${String(outcome)}`);
}

/** Runs `use` while the server presents another certificate. The good one returns afterwards. */
async function presenting(pair: Pair, name: string, use: () => Promise<void>): Promise<void> {
  const { certificates } = pair.tls;
  await present(certificates, name, pair.db);
  try {
    await use();
  } finally {
    await present(certificates, 'good', pair.db);
  }
}

const sessionsWithTls = async ({ db }: Pair) =>
  Number((await db.query("SHOW GLOBAL STATUS LIKE 'Ssl_accepts'"))[0]?.Value);

function tlsRow(id: string, promise: string, run: (pair: Pair) => Promise<void>): Row {
  return {
    id: `tls-${id}`,
    part: 'backup',
    promise,
    run: async (pair) => {
      await tiny(pair);
      await run(pair);
      return undefined;
    },
  };
}

/** The server accepts `secure` only with TLS, in the program's connections and in mydumper's. */
function preferring(mode: Record<string, string>) {
  return async (pair: Pair) => {
    await backUpTiny(pair, { USERNAME: 'secure', ...mode });
    await pair.db.query('SET GLOBAL require_secure_transport = ON');
    try {
      await backUpTiny(pair, { USERNAME: 'plain', ...mode });
    } finally {
      await pair.db.query('SET GLOBAL require_secure_transport = OFF');
    }
  };
}

function verifying(mode: TlsMode, ofElsewhere: 'backed up' | 'refused') {
  return async (pair: Pair) => {
    const { at } = pair.tls.certificates;
    const trusting = (authority: string) =>
      backUpTiny(pair, { USERNAME: 'secure', TLS_MODE: mode, TLS_CA: at(`${authority}.pem`) });
    await trusting('ca');
    await expectRefused('a server of another authority', trusting('stranger'));
    await presenting(pair, 'expired', () =>
      expectRefused('an expired certificate', trusting('ca')),
    );
    await presenting(pair, 'elsewhere', async () => {
      if (ofElsewhere === 'backed up') await trusting('ca');
      else await expectRefused('a certificate for another name', trusting('ca'));
    });
  };
}

export const tlsRows: readonly Row[] = [
  tlsRow('disabled', '`TLS_MODE=disabled`: no connection uses TLS', async (pair) => {
    const before = await sessionsWithTls(pair);
    await backUpTiny(pair, { USERNAME: 'plain', TLS_MODE: 'disabled' });
    const more = (await sessionsWithTls(pair)) - before;
    if (more > 0) throw new Error(`${more} connections used TLS`);
    await expectRefused(
      'a user with REQUIRE SSL',
      backUpTiny(pair, { USERNAME: 'secure', TLS_MODE: 'disabled' }),
    );
  }),
  tlsRow('unset', '`TLS_MODE` not set: TLS where the server offers or requires it', preferring({})),
  tlsRow('preferred', '`TLS_MODE=preferred`: the same', preferring({ TLS_MODE: 'preferred' })),
  tlsRow('required', '`TLS_MODE=required`: TLS with any server', async (pair) => {
    await backUpTiny(pair, { USERNAME: 'secure', TLS_MODE: 'required' });
    await presenting(pair, 'expired', () =>
      backUpTiny(pair, { USERNAME: 'secure', TLS_MODE: 'required' }),
    );
  }),
  tlsRow(
    'verify-ca',
    '`TLS_MODE=verify-ca`: TLS with servers of this authority only, regardless of the name',
    verifying('verify-ca', 'backed up'),
  ),
  tlsRow(
    'verify-full',
    '`TLS_MODE=verify-full`: TLS with a server of this authority and name only',
    verifying('verify-full', 'refused'),
  ),
  tlsRow('socket', 'A unix socket: no TLS, unless `TLS_MODE` requires it', async (pair) => {
    const { at } = pair.tls.certificates;
    const SOCKET = pair.db.socket;
    const before = await sessionsWithTls(pair);
    await backUpTiny(pair, { USERNAME: 'plain', SOCKET });
    if ((await sessionsWithTls(pair)) > before) throw new Error('connections used TLS');
    for (const TLS_MODE of ['required', 'verify-ca', 'verify-full'])
      await backUpTiny(pair, { USERNAME: 'secure', SOCKET, TLS_MODE, TLS_CA: at('ca.pem') });
  }),
];
