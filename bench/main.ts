/**
 * `npm run bench` runs every alternative on the same databases, in turns, and writes
 * docs/benchmarks.md.
 */
import { writeFileSync } from 'node:fs';
import { THREADS } from './alternatives.ts';
import { measureCeiling, measureHashRates } from './ceiling.ts';
import { describeMachine } from './machine.ts';
import { type BenchOptions, readOptions, USAGE } from './options.ts';
import { cellName, planRound, referenceSize } from './plan.ts';
import { saveResults, writeReport } from './report-files.ts';
import { createRestoreBench } from './restore-cells.ts';
import { createCellRunner } from './run-cell.ts';
import type { Results, Sample } from './sample.ts';
import { startSetting } from './setting.ts';

const MOST_ATTEMPTS = 2;

async function bench(options: BenchOptions): Promise<void> {
  const say = (text: string) => console.error(`bench: ${text}`);
  const cells = planRound(options);
  // 1. What this runs on, before anything runs.
  const machine = await describeMachine();
  // 2. One database for each size, and the S3 server.
  const setting = await startSetting(options, say);
  const restores = createRestoreBench(setting.work);
  try {
    // 3. What the S3 server itself can take.
    const ceilings = [await measureCeiling(setting, setting.plain)];
    if (setting.tls !== undefined) ceilings.push(await measureCeiling(setting, setting.tls));
    const hashRates = measureHashRates();
    // 4. Everything in turns, so that no alternative has the machine at a better time than another.
    const runner = createCellRunner(setting, restores);
    const samples: Sample[] = [];
    const failures: string[] = [];
    const results = (): Results => ({
      date: new Date().toISOString(),
      command: [
        'npm run bench --',
        ...process.argv
          .slice(2)
          .filter((word, index, words) => word !== '--data' && words[index - 1] !== '--data'),
      ].join(' '),
      machine,
      threads: THREADS,
      referenceGb: referenceSize(options.sizesGb),
      ceilings,
      hashRates,
      samples,
      failures,
    });
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const cell of cells) {
        for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
          try {
            const sample = await runner.run(cell, round);
            samples.push(sample);
            say(
              `round ${round}, ${cellName(cell)}: ${sample.wallSeconds.toFixed(1)} s, ` +
                `${sample.cpuSeconds.toFixed(1)} s of processors`,
            );
            break;
          } catch (error) {
            const reason = error instanceof Error ? error.message : String(error);
            failures.push(`${cellName(cell)}, round ${round}: ${reason.split('\n', 1)[0]}`);
            say(`round ${round}, ${cellName(cell)} failed: ${reason}`);
          }
        }
        saveResults(options.out, results());
      }
      // 5. A report after each round, so that an early end still leaves one.
      await writeReport(options.out);
    }
    say(`wrote ${options.out}`);
  } finally {
    await restores.stop();
    await setting.stop();
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') writeFileSync(1, USAGE);
  else await bench(options);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
