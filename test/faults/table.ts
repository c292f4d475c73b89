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

Each row is a test: the real program as a process of its own, against a real MariaDB server, a real mydumper (a stand-in only where the fault
is mydumper's own) and an S3 server over HTTP, with the fault caused while it runs. Each run is judged from outside, by the same judge
([test/faults/judge.ts](../test/faults/judge.ts)):

- **Exit code 0**: one manifest; every file of it in S3 with its size and SHA-256; in them every row that the database held, and no other; staged
  bytes never above the budget; nothing left in staging; \`BackupSucceeded\` sent once.
- **Any other exit code** is a documented one, with one \`failed\` line whose reason names the cause. There is no manifest, no multipart upload left open, no process of ours;
  in staging at most the files that the row says, never the one with the password; \`BackupFailed\` sent once.
- **What cannot be known**: S3 may carry out the write of the manifest and answer wrongly, or not before the end. A role that can only add cannot take it back. Then the reason says that the manifest
  may be there, and if it is, it stands for a whole backup.
- **Always**: it ends within a minute unless the row says *soak*. An older backup in the bucket, somebody else's multipart upload and files beside staging are untouched.

Rows marked *soak* take longer or differ little from others, and are run by \`npm run soak\`, all others by \`npm test\`. What is waited for, and how long, is told in
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
