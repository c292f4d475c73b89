import type { ServerConfig } from '../../../app/config.ts';
import type { MariaDb } from './harness.ts';

/** How the program reaches a server of the tests, as root unless changed. */
export function serverAddress(db: MariaDb, changed: Partial<ServerConfig> = {}): ServerConfig {
  const { host, port, user, password } = db;
  const tls = { mode: undefined, caFile: undefined };
  return {
    host,
    port,
    socket: undefined,
    queryTimeoutSeconds: 60,
    user,
    password,
    tls,
    ...changed,
  };
}
