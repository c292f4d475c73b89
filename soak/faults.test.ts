import { testFaults } from '../test/faults/suite.ts';
import { FAULTS } from '../test/faults/table.ts';

/** The cases of docs/reliability.md that take longer. */
const slow = Object.values(FAULTS)
  .flat()
  .filter(({ slow }) => slow === true);

testFaults(slow);
