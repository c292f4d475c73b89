/** The connection is lost, or the server does not accept one yet. */
const LOST: ReadonlySet<string> = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'QUERY_TIMEOUT',
  // The server shuts down, or has ended the connection.
  'ER_SERVER_SHUTDOWN',
  'ER_NORMAL_SHUTDOWN',
  'ER_SHUTDOWN_COMPLETE',
  'ER_CONNECTION_KILLED',
  'ER_CLIENT_INTERACTION_TIMEOUT',
  'ER_NEW_ABORTING_CONNECTION',
  'ER_CON_COUNT_ERROR',
]);

/** The server rolled back a statement or a transaction, and takes it again. */
const ROLLED_BACK: ReadonlySet<string> = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD',
  // The mark says whether it was committed.
  'ER_ERROR_DURING_COMMIT',
  'ER_QUERY_INTERRUPTED',
]);

function codeOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return code;
  return cause === undefined ? '' : codeOf(cause);
}

/** mysql2 marks the errors after which a connection is of no use, some of them without a code. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  const { fatal } = (error ?? {}) as { fatal?: unknown };
  return LOST.has(code) || (fatal === true && code === '');
}

/** Whether the same work may succeed a moment later. */
export function isPassing(error: unknown): boolean {
  return isLost(error) || ROLLED_BACK.has(codeOf(error));
}
