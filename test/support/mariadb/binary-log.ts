/** Lines of the option file that make a server of the harness write a binary log. */
export const WITH_BINARY_LOG: readonly string[] = ['log-bin=binlog', 'server-id=1'];
