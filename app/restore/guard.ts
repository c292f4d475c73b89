import { RESTORE_STATE_DATABASE } from '../contract.ts';

/** The table that remembers pieces, as statements name it. */
export const PIECES = `\`${RESTORE_STATE_DATABASE}\`.\`pieces\``;

/**
 * Statements that record whether a piece is loaded. They run in the transaction in which myloader
 * loads the piece. With a transactional engine the mark exists if and only if all rows do, after
 * any kind of crash. A loader that continues after an error commits wrongly, with `begun` and
 * without `loaded`.
 */
export const guard = {
  /** After the prologue. */
  begin: (id: number) => `UPDATE ${PIECES} SET begun=1 WHERE id=${id};\nSET @mydumper_fargate=0;\n`,
  /** After each INSERT: ROW_COUNT() is -1 when it failed. */
  afterInsert: 'SET @mydumper_fargate=@mydumper_fargate+(ROW_COUNT()>=0);\n',
  /** After the last statement. */
  end: (id: number, inserts: number) =>
    `UPDATE ${PIECES} SET begun=1, loaded=(@mydumper_fargate=${inserts}) WHERE id=${id};\n`,
};
