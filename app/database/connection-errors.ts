import type { ServerConfig } from '../config.ts';
import { messageOf } from '../errors.ts';
import { tlsReason } from './tls.ts';

const SHOWN_CHARACTERS = 100;

/** The server has not answered in time. The connection is closed. */
export class QueryTimeout extends Error {
  readonly code = 'QUERY_TIMEOUT';

  constructor(seconds: number, settingSeconds: number, sql: string) {
    const words = sql.replace(/\s+/g, ' ');
    const shown = words.length > SHOWN_CHARACTERS ? `${words.slice(0, SHOWN_CHARACTERS)}…` : words;
    super(
      `the MySQL server has not answered for ${seconds} s ` +
        `(QUERY_TIMEOUT_SECONDS=${settingSeconds}) to ${JSON.stringify(shown)}`,
    );
    this.name = 'QueryTimeout';
  }
}

/** Why there is no connection, with the variable to look at. */
export function connectReason(error: unknown, server: ServerConfig): string {
  const { code, encrypted = false } = error as NodeJS.ErrnoException & { encrypted?: boolean };
  if (code === 'ECONNREFUSED')
    return 'connection refused; check HOST and PORT, and that the server is running';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'the host name has no address; check HOST';
  if (code === 'ENOENT') return 'there is no such socket; check SOCKET';
  if (code === 'ETIMEDOUT') return 'no answer; check HOST, PORT, security groups and routes';
  const ofTls = error instanceof Error ? tlsReason(error, server, encrypted) : undefined;
  return ofTls ?? (messageOf(error) || code || 'unknown error');
}
