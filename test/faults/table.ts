import { type FaultCase, GROUPS, type Group } from './case.ts';
import { cloudwatchFaults } from './cloudwatch.ts';
import { databaseFaults } from './database.ts';
import { diskFaults } from './disk.ts';
import { mydumperFaults } from './mydumper.ts';
import { processFaults } from './process.ts';
import { s3Faults } from './s3.ts';

/** Every case, by group. */
export const FAULTS: Readonly<Record<Group, readonly FaultCase[]>> = {
  s3: s3Faults,
  database: databaseFaults,
  mydumper: mydumperFaults,
  process: processFaults,
  disk: diskFaults,
  cloudwatch: cloudwatchFaults,
};

const INTRODUCTION = `# Reliability: what goes wrong, and what is required then

<!-- Written by \`npm run docs:reliability\` from the cases in test/faults; a test keeps it so. -->

Each row is a test: it runs the real program as a separate process against a real MariaDB server, a
real mydumper and an S3 server over HTTP. A stand-in replaces mydumper only where the fault is
mydumper's own. The test causes the fault while the program runs. The same judge
([test/faults/judge.ts](../test/faults/judge.ts)) judges each run from outside:

- **Exit code 0**: one manifest; every file of it in S3 with its size and SHA-256; in them every row
  that the database held, and no other; staged bytes never above the budget; nothing left in
  staging; \`BackupSucceeded\` sent once.
- **Any other exit code** is a documented one, with one \`failed\` line whose reason names the
  cause. There is no manifest, no open multipart upload and no process of ours. Staging holds at
  most the files that the row says, never the one with the password. \`BackupFailed\` is sent once.
- **An uncertain end**: S3 may write the manifest and answer wrongly, or answer after the end. A
  role that can only add cannot take the manifest back. Then the reason says that the manifest may
  be there, and if it is, the backup is whole.
- **Always**: the run ends within a minute unless the row says *soak*. An older backup in the
  bucket, a foreign multipart upload and files beside staging stay untouched.

Rows marked *soak* take longer or differ little from others. \`npm run soak\` runs them;
\`npm test\` runs all others. The program's waits and their limits are in
[architecture.md](architecture.md#what-is-waited-for-and-how-long).
`;

/** The page about all cases, as Markdown. */
export function renderPage(): string {
  const sections = Object.entries(FAULTS).map(
    ([group, cases]) => `## ${GROUPS[group as Group]}

| fault | required | exit | |
|---|---|---|---|
${cases.map(renderRow).join('\n')}
`,
  );
  return [INTRODUCTION, ...sections].join('\n');
}

function renderRow({ fault, outcome, exits, soak }: FaultCase): string {
  const cells = [fault, outcome, exits.join(' or '), soak === true ? '*soak*' : ''];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
