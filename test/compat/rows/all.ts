import type { Row } from '../row.ts';
import { contentRows } from './content.ts';
import { disturbedRows } from './disturbed.ts';
import { nameRows } from './names.ts';
import { nodeRows } from './nodes.ts';
import { programRows } from './programs.ts';
import { unseenProgramRows } from './programs-unseen.ts';
import { settingRows } from './settings.ts';
import { tlsRows } from './tls.ts';
import { typeRows } from './types.ts';
import { writerRows } from './writers.ts';

/**
 * Rows about the contents of a backup. The first rows look at all databases, so they run before the
 * rows that make further ones.
 */
export const CONTENT: readonly Row[] = [
  ...contentRows,
  ...programRows,
  ...unseenProgramRows,
  ...typeRows,
  ...nameRows,
];

/** Rows about how a backup is made. */
export const RUNS: readonly Row[] = [
  ...writerRows,
  ...settingRows,
  ...tlsRows,
  ...nodeRows,
  ...disturbedRows,
];

/** Every row. */
export const ALL_ROWS: readonly Row[] = [...CONTENT, ...RUNS];
