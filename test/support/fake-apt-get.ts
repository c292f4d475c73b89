/**
 * Stands in for apt-get in tests of set-up: it records its command line, and installs a package by
 * making empty programs. The first argument is the directory of its scenario, as {@link FakeApt}
 * describes it.
 */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The scenario, from `scenario.json` in the directory. */
export type FakeApt = {
  /** The line that `indextargets` prints. */
  readonly targets: string;
  /** Mirrors whose sid suite cannot be read. */
  readonly broken: readonly string[];
  /** What `--simulate install` prints. */
  readonly simulation: string;
};

const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  mydumper: ['mydumper', 'myloader'],
  'mariadb-server-core': ['mariadbd', 'mariadb-install-db'],
};

const [directory = '', ...argv] = process.argv.slice(2);
const { targets, broken, simulation } = JSON.parse(
  readFileSync(join(directory, 'scenario.json'), 'utf8'),
) as FakeApt;

function setting(name: string): string | undefined {
  return argv.find((argument) => argument.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** The sources list that apt reads: the machine's own, or that of a directory. */
function sourcesList(): string {
  const parts = setting('Dir::Etc::SourceParts');
  if (parts === undefined) return 'the machine';
  return readdirSync(parts)
    .map((name) => readFileSync(join(parts, name), 'utf8'))
    .join('');
}

function install(): void {
  for (const [name, programs] of Object.entries(PROGRAMS)) {
    if (!argv.some((argument) => argument === name || argument.includes(`/${name}_`))) continue;
    for (const program of programs)
      writeFileSync(join(directory, 'bin', program), '', { mode: 0o755 });
  }
}

const sources = sourcesList();
appendFileSync(join(directory, 'calls'), `${JSON.stringify({ argv, sources })}\n`);
if (argv[0] === 'indextargets') process.stdout.write(`${targets}\n`);
else if (argv.includes('--simulate')) process.stdout.write(`${simulation}\n`);
else if (argv.includes('update') && broken.some((mirror) => sources.includes(`URIs: ${mirror}\n`)))
  process.exitCode = 100;
else if (argv.includes('download')) writeFileSync('mydumper_0.10.1-2_amd64.deb', '');
else if (argv.includes('install')) install();
