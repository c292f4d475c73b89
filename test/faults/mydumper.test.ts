import { mydumperFaults } from './mydumper.ts';
import { quick, testFaults } from './suite.ts';

testFaults(quick(mydumperFaults));
