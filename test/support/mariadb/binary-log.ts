/** Lines of the option file by which a server of the harness writes a binary log. */
export const WITH_BINARY_LOG: readonly string[] = ['log-bin=binlog', 'server-id=1'];
