import { expect, test } from 'vitest';
import { type DumpPlan, mydumperArguments } from '../../app/mydumper/arguments.ts';

const plan: DumpPlan = {
  generation: 'modern',
  directory: '/staging',
  optionFile: '/staging/option-file',
  threads: 4,
  chunkMiB: 1,
  statementBytes: 65_536,
  databases: [],
  contents: { databases: ['shop'], tables: [], views: [], triggered: [], programmed: [] },
  lock: 'none',
  engines: [],
  mostColumns: 0,
  serverVersion: undefined,
  ignoredErrors: [],
  extraArguments: [],
  server: {
    host: 'db.internal',
    port: 3306,
    socket: undefined,
    user: 'backup',
    password: 'secret',
    queryTimeoutSeconds: 60,
    tls: { mode: undefined, caFile: undefined },
  },
  tls: { flags: [], lines: [] },
};

test('1.x writes definitions in UTF-8 for any character set of a table, and rows as bytes', () => {
  const argv = mydumperArguments(plan);
  expect(argv).toContain('--default-character-set=utf8mb4,binary');
  expect(argv).toContain('--set-names=utf8mb4,binary');
});

test('1.x reads a table by one SELECT: a connection lost between chunks would lose rows', () => {
  expect(mydumperArguments(plan)).toContain('--rows=-1');
  const own = mydumperArguments({ ...plan, extraArguments: ['--rows=1000'] });
  expect(own.lastIndexOf('--rows=1000')).toBeGreaterThan(own.indexOf('--rows=-1'));
});

test('1.x writes a stand-in of a view in an engine that takes TEXT and as many columns', () => {
  const flag = '--table-engine-for-view-dependency';
  expect(mydumperArguments(plan)).toContain(`${flag}=InnoDB`);
  expect(mydumperArguments({ ...plan, mostColumns: 1018 })).toContain(`${flag}=MyISAM`);
  const own = mydumperArguments({ ...plan, extraArguments: [`${flag}=MEMORY`] });
  expect(own.lastIndexOf(`${flag}=MEMORY`)).toBeGreaterThan(own.indexOf(`${flag}=InnoDB`));
});

test('0.10 has no such options and does not get them', () => {
  const argv = mydumperArguments({ ...plan, generation: 'classic' });
  expect(argv.filter((word) => /character-set|set-names|view/.test(word))).toEqual([]);
});
