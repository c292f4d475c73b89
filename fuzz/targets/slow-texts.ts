import { Readable } from 'node:stream';
import fc from 'fast-check';
import { variablesSchema } from '../../app/config-fields.ts';
import { globalPrivileges, likePattern } from '../../app/database/grants.ts';
import { createLockWaitMeter } from '../../app/database/lock-wait.ts';
import { classifyFile } from '../../app/mydumper/file-names.ts';
import { readLines } from '../../app/mydumper/lines.ts';
import { createLogReader } from '../../app/mydumper/log-reader.ts';
import { parseMetadata } from '../../app/mydumper/metadata.ts';
import { readMetadataTables } from '../../app/mydumper/metadata-tables.ts';
import { unsupportedNames } from '../../app/mydumper/naming.ts';
import { oneLine, redactText } from '../../app/observe/redact.ts';
import { readDefinitions } from '../../app/restore/definitions.ts';
import { kindOf } from '../../app/restore/statement-heads.ts';
import { createDatabase } from '../../app/restore/target.ts';
import { withoutDatabase } from '../../app/restore/trigger-names.ts';
import type { Target } from '../target.ts';

/**
 * Texts of this length make a backtracking reader try each way to read them. Quadratic readers take
 * minutes, exponential ones never end. So no time is measured: a reader that ends is good enough.
 */
const LENGTH = 50_000;
const BITS = [
  '`',
  '``',
  "'",
  "''",
  '"',
  '/**/',
  '/* */ ',
  '/*',
  '*/',
  '--\n',
  '-- x\n',
  ' ',
  '\n',
  '\t',
  ';',
  ';\n',
  '; \n',
  ' ;',
  '\\',
  "\\'",
  '.',
  '.00001',
  '`a`.',
  '`.`',
  ' . ',
  '@',
  '//',
  '//:',
  '//a:',
  '//a:b@',
  'passwd=',
  ':',
  '=',
  ',',
  '(',
  ')',
  'a',
  'a-',
  'a ',
  '1',
  '%',
  '_',
  '*',
  '*a',
  '[',
  ']',
  '] ',
  '/',
  'CREATE ',
  'TABLE ',
  'TABLE `',
  'DEFINER=',
  ' ON `',
  'GRANT ',
  'SET ',
  'FLUSH ',
  '\r',
  '\0',
  'é',
  '\u2028',
  ' AUTO_INCREMENT=1',
  'IF NOT EXISTS ',
  'Pos',
  '"x',
  '#',
];
const LEADS = [
  '',
  ' ',
  '`',
  "'",
  '/*',
  'CREATE ',
  'CREATE TABLE ',
  'CREATE DEFINER=',
  'CREATE TRIGGER ',
  'CREATE DATABASE `a` ',
  "CREATE DATABASE `a` '",
  'SET ',
  "SET sql_mode='",
  '/*!40101 SET ',
  'INSERT INTO ',
  'INSERT INTO `',
  'GRANT a ON `',
  'GRANT ',
  '** (a:',
  '** Message: ',
  '** Message: Thread 1 dumping data for `',
  '** Message: Thread 1 dumping data for `a` ',
  'Thread 1: dumping data from `a`.`',
  '[`a`.`b`]\nrows=',
  '[`a`.`b`]\nreal_table_name = x',
  '[',
  '[`',
  'SHOW MASTER STATUS:\n\tPos: ',
  'SHOW MASTER STATUS:\n\tLog: "',
  '[source]\n# Pos',
  'mysql://',
  '//a:',
  'password=',
  'FLUSH ',
  'FLUSH /*',
  'LOCK ',
];
const TAILS = ['', 'x', '!', '\n!', ' x'];

const lockWait = (Info: string) =>
  createLockWaitMeter()(
    {
      all: [{ Id: 2, User: 'u', Command: 'Query', State: 'Waiting for lock', Info }],
      dumping: new Set([2]),
    },
    1,
  );
const target = {
  database: { query: () => Promise.resolve([]) },
  as: undefined,
} as unknown as Parameters<typeof createDatabase>[0];
const file = { key: 'k', database: 'a' } as Parameters<typeof createDatabase>[1];

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  definitions: readDefinitions,
  triggers: (text) => withoutDatabase(text, 'a'),
  'the definition of a database': (text) => createDatabase(target, file, text),
  'the head of a statement': (text) => kindOf(text.slice(0, 4096)),
  'tables in metadata': readMetadataTables,
  metadata: parseMetadata,
  log: (text) => createLogReader()(text.slice(0, 65_536)),
  lines: async (text) => {
    for await (const line of readLines(Readable.from([Buffer.from(text)]))) void line;
  },
  redaction: redactText,
  'one line': oneLine,
  'file names': (text) => classifyFile(`${text}.sql`, new Set(['a'])),
  'table names': (text) =>
    unsupportedNames('classic', {
      databases: ['a'],
      tables: [{ database: 'a', table: text, engine: 'innodb' }],
      views: [],
      triggered: [{ database: 'a', table: text }],
      programmed: [],
    }),
  grants: (text) => globalPrivileges([text]),
  'LIKE patterns': (text) => likePattern(text.slice(0, 64)).test(text.slice(0, 4096)),
  'statements that wait': lockWait,
  PREFIX: (text) => variablesSchema.safeParse({ BUCKET: 'abc', PREFIX: text, OBJECT_TAGS: text }),
};

const text = fc
  .tuple(
    fc.constantFrom(...LEADS),
    fc.array(fc.constantFrom(...BITS), { minLength: 1, maxLength: 3 }),
    fc.array(fc.constantFrom(...BITS), { maxLength: 2 }),
    fc.constantFrom(...TAILS),
  )
  .map(([lead, first, second, tail]) => {
    const fill = (bits: string) => bits.repeat(Math.floor(LENGTH / 2 / Math.max(1, bits.length)));
    return { lead, first: first.join(''), second: second.join(''), tail, fill };
  });

/** A reader's time is bounded by the length of the text. A case that does not end is the fault. */
export const slowTexts: Target = {
  name: 'slow-texts',
  quickCases: 40,
  open: () => ({
    property: fc.asyncProperty(text, async ({ lead, first, second, tail, fill }) => {
      const hostile = lead + fill(first) + fill(second) + tail;
      for (const read of Object.values(READERS)) {
        await Promise.resolve(hostile)
          .then(read)
          .catch(() => {});
      }
    }),
  }),
};
