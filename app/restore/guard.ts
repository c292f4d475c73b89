import { RESTORE_STATE_DATABASE } from '../contract.ts';

/** The table that remembers pieces, as statements name it. */
export const PIECES = `\`${RESTORE_STATE_DATABASE}\`.\`pieces\``;

/**
 * Statements that make a piece tell itself whether it is loaded. They run in the transaction that
 * myloader loads the piece in, so with a transactional engine the mark is there if and only if all
 * rows are: after whatever kind of death. A loader that goes on after an error commits what it
 * should not, with `begun` and without `loaded`.
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
