import { type MariaDb, startMariaDb } from '../../test/support/mariadb/harness.ts';

/**
 * Starts the server that is restored into. What it has committed outlives a SIGKILL of it. A
 * statement under way fails when the server is ended: the connection, once destroyed, would never
 * answer.
 */
export async function startTarget(): Promise<MariaDb> {
  const db = await startMariaDb({ config: ['innodb_flush_log_at_trx_commit=1'] });
  let ending = Promise.withResolvers<never>();
  const cut = () => {
    const error = new Error('the connection ended with the server');
    ending.promise.catch(() => {});
    ending.reject(Object.assign(error, { code: 'ECONNRESET' }));
    ending = Promise.withResolvers();
  };
  const cutting = async (work: () => Promise<void>) => {
    cut();
    // Connections are destroyed meanwhile, too.
    await work().finally(cut);
  };
  const target: MariaDb = Object.create(db);
  return Object.assign(target, {
    query: (...words: Parameters<MariaDb['query']>) =>
      Promise.race([db.query(...words), ending.promise]),
    kill: () => cutting(() => db.kill()),
    restart: (config?: readonly string[]) => cutting(() => db.restart(config)),
  });
}
