import { generationOf } from '../support/installed-tools.ts';
import { s3Faults } from './s3.ts';
import { quick, testFaults } from './suite.ts';

// 1.x runs at least two threads, each of which writes a part of the table. One file must be larger
// than 5 MiB.
testFaults(quick(s3Faults), { megabytes: generationOf() === 'classic' ? 7 : 18, tables: 1 });
