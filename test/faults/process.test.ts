import { processFaults } from './process.ts';
import { quick, testFaults } from './suite.ts';

testFaults(quick(processFaults));
