import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { drawPlots } from './plots.ts';
import type { ProfileResults } from './profile-report.ts';
import { renderReport } from './report.ts';
import { type Results, readResults } from './sample.ts';
import type { SweepResults } from './sweep-report.ts';

/** The folder beside the report that holds figures and plots. */
function folderOf(out: string): string {
  const folder = out.replace(/\.md$/, '');
  mkdirSync(folder, { recursive: true });
  return folder;
}

export function saveResults(out: string, results: Results): void {
  save(out, 'results.json', results);
}

export function saveSweep(out: string, sweep: SweepResults): void {
  save(out, 'sweep.json', sweep);
}

export function saveProfile(out: string, profile: ProfileResults): void {
  save(out, 'profile.json', profile);
}

function save(out: string, name: string, content: object): void {
  // A line for each sample: a diff of two runs can be read.
  const text = JSON.stringify(content, (_, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value,
  );
  writeFileSync(
    join(folderOf(out), name),
    `${text.replaceAll('{"alternative"', '\n{"alternative"')}\n`,
  );
}

/**
 * Writes the report again from the existing figures. Without results of the bench itself it writes
 * none.
 */
export async function writeReport(out: string): Promise<void> {
  const folder = folderOf(out);
  const results = readResults(join(folder, 'results.json'));
  const plots = drawPlots(results).map(({ name, title, svg }) => {
    writeFileSync(join(folder, name), svg);
    return { file: `${folder.slice(dirname(out).length + 1)}/${name}`, title };
  });
  const sweep = readIfThere<SweepResults>(join(folder, 'sweep.json'));
  const profile = readIfThere<ProfileResults>(join(folder, 'profile.json'));
  writeFileSync(out, renderReport({ results, plots, sweep, profile }));
}

function readIfThere<T>(path: string): T | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
}
