import { testFaults } from '../test/faults/suite.ts';
import { FAULTS } from '../test/faults/table.ts';

/** The cases of docs/reliability.md that take longer, or differ little from a quick one. */
const left = Object.values(FAULTS)
  .flat()
  .filter(({ soak }) => soak === true);

testFaults(left);
