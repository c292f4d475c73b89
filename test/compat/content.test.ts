import { contentRows } from './rows/content.ts';
import { testRows } from './testing.ts';

await testRows(contentRows);
