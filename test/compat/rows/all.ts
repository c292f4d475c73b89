import type { Row } from '../row.ts';
import { contentRows } from './content.ts';
import { nameRows } from './names.ts';
import { programRows } from './programs.ts';
import { typeRows } from './types.ts';

/** Rows that run one after another with the same two servers: the first of them look at all databases. */
export const CONTENT: readonly Row[] = [...contentRows, ...programRows, ...typeRows, ...nameRows];

/** Every row. */
export const ALL_ROWS: readonly Row[] = [...CONTENT];
