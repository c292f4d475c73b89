import type { Row } from '../row.ts';
import { contentRows } from './content.ts';

/** Every row, in the order of the page. */
export const ALL_ROWS: readonly Row[] = [...contentRows];
