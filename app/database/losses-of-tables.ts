import type { Contents } from '../manifest/completeness.ts';
import type { Row } from './connection.ts';
import { type Ask, type DumpedBy, group, type Losses } from './loss-lines.ts';
import { inDatabases } from './schema-filter.ts';

/** Tables and views that mydumper cannot dump, takes for something else, or does not keep. */
export async function tableLosses(ask: Ask, by: DumpedBy, contents: Contents): Promise<Losses> {
  const { databases } = contents;
  // TABLE_ROWS makes MariaDB open views too: only then does it notice a broken one.
  const tables = await ask(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE IS NULL AS broken,
       UPPER(ENGINE) AS engine, TABLE_COMMENT AS comment, TABLE_ROWS
     FROM information_schema.TABLES WHERE ${inDatabases('TABLE_SCHEMA', databases)}`,
  );
  const own = tables.filter((row) => !isView(row));
  return {
    refusals: [
      ...brokenRefusals(tables),
      ...takenForOthers(own, by),
      ...group(
        own.filter((row) => row.engine === 'FEDERATED'),
        (names) =>
          'the rows of FEDERATED tables are those of another server, and a load of the dump ' +
          `would insert them there again; leave these tables out: ${names}`,
      ),
    ],
    warnings: group(
      tables.filter((row) => String(row.type) === 'SYSTEM VERSIONED'),
      (names) => `the history of system-versioned tables is not dumped: ${names}`,
    ),
  };
}

function isView(row: Row): boolean {
  return /VIEW/.test(String(row.type));
}

function brokenRefusals(tables: readonly Row[]): string[] {
  const brokenViews = tables.filter(
    (row) => isView(row) && !/^(?:VIEW)?$/.test(String(row.comment ?? '')),
  );
  const brokenTables = tables.filter((row) => !isView(row) && Number(row.broken) === 1);
  return [
    ...group(
      brokenViews,
      (names) =>
        `views that refer to what is not there cannot be dumped; mend or drop them: ${names}`,
    ),
    ...group(
      brokenTables,
      (names) => `tables that the server cannot open cannot be dumped: ${names}`,
    ),
  ];
}

/**
 * Both generations recognise a kind of object by its comment: 0.10 views, and 1.x the sequences of
 * MariaDB. Then they ask for the definition of such an object, and the dump fails.
 */
function takenForOthers(tables: readonly Row[], { generation, vendor }: DumpedBy): string[] {
  const commented = (comment: string) => tables.filter((row) => row.comment === comment);
  if (generation === 'classic')
    return group(
      commented('VIEW'),
      (names) =>
        `mydumper 0.10 takes tables with the comment "VIEW" for views; change it: ${names}`,
    );
  if (vendor === 'mysql') return [];
  return group(
    commented('SEQUENCE').filter(({ type }) => type !== 'SEQUENCE'),
    (names) =>
      `mydumper 1.x takes tables with the comment "SEQUENCE" for sequences; change it: ${names}`,
  );
}
