import { parseArgs } from 'node:util';
import { runTarget } from './target.ts';
import { targets } from './targets.ts';

// npm run fuzz -- --seconds 60 --seed 1 --target manifest: runs each target for that time and
// prints a table of the cases. Exit 1 when a target fails.
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000) * 1000) },
    target: { type: 'string', multiple: true },
  },
});
const seed = Number(values.seed);
const chosen = targets.filter(({ name }) => values.target?.includes(name) ?? true);
if (chosen.length === 0)
  throw new Error(`targets are ${targets.map(({ name }) => name).join(', ')}`);

const row = (name: string, cases: string, seconds: string, result: string) =>
  console.log(`${name.padEnd(20)} ${cases.padStart(9)} ${seconds.padStart(8)}  ${result}`);
console.log(`seed ${seed}`);
row('target', 'cases', 'seconds', 'result');
for (const target of chosen) {
  const { cases, seconds, failure } = await runTarget(target, Number(values.seconds), seed);
  row(target.name, String(cases), seconds.toFixed(1), failure === undefined ? 'holds' : 'FAILED');
  if (failure === undefined) continue;
  console.log(failure);
  process.exitCode = 1;
}
