import { s3Faults } from './s3.ts';
import { quick, testFaults } from './suite.ts';

testFaults(quick(s3Faults), { megabytes: 7, tables: 1 });
