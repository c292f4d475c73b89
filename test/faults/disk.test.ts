import { diskFaults } from './disk.ts';
import { quick, testFaults } from './suite.ts';

testFaults(quick(diskFaults), { megabytes: 18 });
