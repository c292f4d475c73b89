import { RUNS } from './rows/all.ts';
import { testRows } from './testing.ts';

await testRows(RUNS);
