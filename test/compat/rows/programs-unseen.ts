import type { MariaDb } from '../../support/mariadb/harness.ts';
import { currentCell } from '../cell.ts';
import type { Pair, Row } from '../row.ts';
import { type Backup, backUp } from '../runs.ts';

const DATABASE = 'partly';
const ACCOUNT = "partly@'127.0.0.1'";
const PASSWORD = 'geheim';

/** mydumper 0.10 misreads the routines of MySQL 9, so the program refuses them. */
async function createPrograms(db: MariaDb): Promise<void> {
  const { mydumper } = await currentCell();
  const routines = mydumper.startsWith('0.') && db.vendor === 'mysql' ? [] : ROUTINES;
  await db.query(`CREATE DATABASE ${DATABASE}`);
  for (const statement of [
    `CREATE TABLE ${DATABASE}.orders (id int PRIMARY KEY)`,
    `CREATE TRIGGER ${DATABASE}.bi BEFORE INSERT ON ${DATABASE}.orders FOR EACH ROW SET @a = 1`,
    `CREATE EVENT ${DATABASE}.e ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01' DISABLE DO SET @a = 1`,
    ...routines,
    `CREATE USER ${ACCOUNT} IDENTIFIED BY '${PASSWORD}'`,
    `GRANT SELECT, EVENT, LOCK TABLES ON ${DATABASE}.* TO ${ACCOUNT}`,
  ])
    await db.query(statement);
}

const ROUTINES = [
  `CREATE PROCEDURE ${DATABASE}.p() SELECT 1`,
  `CREATE FUNCTION ${DATABASE}.f() RETURNS int DETERMINISTIC RETURN 1`,
];

/** As text, to compare lists. */
function programsOf({ manifest }: Backup): string[] {
  return (manifest.programs ?? []).map((program) => JSON.stringify(program)).toSorted();
}

/** The statements that the warnings about unseen programs say to run. */
function cures({ manifest, warnings }: Backup): string[] {
  return (manifest.programsUnseen ?? []).flatMap((line) => {
    const warning = warnings.find((text) => text.startsWith(`${line}; run: GRANT `));
    if (warning === undefined) throw new Error(`no warning with a GRANT says: ${line}`);
    return warning.match(/GRANT .+? ON .+? TO `partly`@`127\.0\.0\.1`;/g) ?? [];
  });
}

async function expectReasons({ db, world }: Pair): Promise<undefined> {
  await createPrograms(db);
  const root = { SOURCE: DATABASE, DATABASES: DATABASE };
  const partly = { ...root, USERNAME: 'partly', PASSWORD };
  const all = await backUp(world, root);
  if (all.manifest.programsUnseen?.length !== 0) throw new Error('root does not see all programs');

  const part = await backUp(world, partly);
  const unseen = part.manifest.programsUnseen ?? [];
  for (const word of ['triggers', 'routines'])
    if (!unseen.some((line) => line.includes(`cannot see ${word}`)))
      throw new Error(`the manifest does not say that ${word} are unseen: ${unseen.join('; ')}`);

  for (const statement of cures(part)) await db.query(statement);
  const cured = await backUp(world, partly);
  const left = cured.manifest.programsUnseen ?? [];
  if (left.length > 0) throw new Error(`after the GRANTs: ${left.join('; ')}`);
  if (programsOf(cured).join() !== programsOf(all).join())
    throw new Error(`after the GRANTs the manifest lists ${programsOf(cured).join()}`);
  await db.query(`DROP USER ${ACCOUNT}`);
  return undefined;
}

export const unseenProgramRows: readonly Row[] = [
  {
    id: 'programs-unseen',
    part: 'backup',
    promise:
      'A user who may read only part of the routines and triggers: the run warns with the GRANT, ' +
      'and the manifest says what may be missing',
    run: expectReasons,
  },
];
