/** Where the backup stands in the server's binary log, as far as mydumper recorded it. */
export type BinlogPosition = {
  readonly file: string | undefined;
  readonly position: number | undefined;
  readonly gtid: string | undefined;
};

export type DumpMetadata = {
  /** mydumper wrote its closing line. That alone proves nothing: a failed dump has the line too. */
  readonly finished: boolean;
  readonly binlog: BinlogPosition | undefined;
};

/**
 * Reads `metadata` of both generations: the `SHOW MASTER STATUS:` block of 0.10, the `[source]` or
 * `[master]` section of 1.x.
 */
export function parseMetadata(text: string): DumpMetadata {
  const finished = /^(?:# )?Finished dump at/m.test(text);
  const classic = /^SHOW MASTER STATUS:\n((?:\t.*\n?)*)/m.exec(text)?.[1];
  const section = classic ?? /^\[(?:source|master)\]\n((?:(?!\[).*\n?)*)/m.exec(text)?.[1];
  if (section === undefined) return { finished, binlog: undefined };

  const value = (...names: string[]) => {
    for (const name of names) {
      const found = new RegExp(`^[\\t #]*${name}[ \\t]*[:=](.*)$`, 'mi').exec(section)?.[1]?.trim();
      const bare = found?.replace(/^"/, '').replace(/"$/, '');
      if (bare !== undefined && bare !== '') return bare;
    }
    return undefined;
  };
  const position = value('Pos', 'Position', 'SOURCE_LOG_POS');
  const binlog = {
    file: value('Log', 'File', 'SOURCE_LOG_FILE'),
    position: position === undefined || !/^\d+$/.test(position) ? undefined : Number(position),
    gtid: value('GTID', 'Executed_Gtid_Set', 'executed_gtid_set'),
  };
  const known = Object.values(binlog).some((field) => field !== undefined);
  return { finished, binlog: known ? binlog : undefined };
}
