import { writeFileSync } from 'node:fs';
import { renderPage } from '../test/faults/table.ts';

writeFileSync(new URL('../docs/reliability.md', import.meta.url), renderPage());
