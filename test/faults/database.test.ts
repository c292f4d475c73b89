import { databaseFaults } from './database.ts';
import { quick, testFaults } from './suite.ts';

testFaults(quick(databaseFaults));
