import { CONTENT } from './rows/all.ts';
import { testRows } from './testing.ts';

await testRows(CONTENT);
