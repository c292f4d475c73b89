import { readSync } from 'node:fs';
import { classifyFile } from '../mydumper/file-names.ts';
import type { Generation } from '../mydumper/version.ts';
import type { Lease } from '../staging/tracker.ts';

const FIRST_LINE = '/*!40101 SET NAMES binary*/;\n';
const NO_FOREIGN_KEYS = '/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n';
const UTC = "/*!40103 SET TIME_ZONE='+00:00' */;\n";

/** Gives what must go before a file's content, if anything. */
export type PrologueOf = (lease: Lease) => Buffer;

const NOTHING = Buffer.alloc(0);

/**
 * mydumper 0.10 begins each data file with these lines. It omits them when a table's last row is
 * alone in a new chunk (`dump_table_data` in mydumper.c). Without them the server's time zone
 * shifts TIMESTAMPs at the load. The shipper adds the missing lines, so that every file is complete
 * by itself.
 */
export function prologueFor(generation: Generation, databases: readonly string[]): PrologueOf {
  if (generation !== 'classic') return () => NOTHING;
  const known = new Set(databases);
  const lines = FIRST_LINE + NO_FOREIGN_KEYS + UTC;
  return (lease) => {
    if (lease.sizeBytes === 0 || classifyFile(lease.name, known).kind !== 'data') return NOTHING;
    const start = Buffer.alloc(FIRST_LINE.length);
    readSync(lease.descriptor, start, 0, start.length, 0);
    return start.toString('latin1') === FIRST_LINE ? NOTHING : Buffer.from(lines);
  };
}
