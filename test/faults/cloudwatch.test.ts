import { cloudwatchFaults } from './cloudwatch.ts';
import { quick, testFaults } from './suite.ts';

testFaults(quick(cloudwatchFaults), { megabytes: 10 });
