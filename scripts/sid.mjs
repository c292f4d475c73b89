// Downloads a package from Debian's sid suite, for releases that lack it. Debian 13 has no
// mydumper. apt gets a sources list, package lists, pins and a cache of its own in a temporary
// directory, so that those of the machine stay as they are. Only the package comes from sid; the
// packages it needs come from the machine's own release. The download needs no privilege.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Prints a line for each package list that apt has: its mirror, origin, label and component. */
const TARGET_FORMAT = '$(REPO_URI) $(ORIGIN)/$(LABEL) $(COMPONENT)';

/**
 * Finds the mirror that this machine installs Debian from. Undefined where there is none: packages
 * of sid may not fit another distribution. `run` executes a command and resolves with success and
 * output.
 */
export async function debianMirror(run) {
  const command = ['apt-get', 'indextargets', '--format', TARGET_FORMAT, 'Created-By: Packages'];
  return ownMirror((await run(command)).stdout);
}

/**
 * Downloads `name` into a temporary directory, which is removed when this process ends.
 * @returns the path of the package file, or undefined when the mirror has none.
 */
export async function downloadFromSid(name, mirror, run, say) {
  const directory = temporaryDirectory();
  say(`downloading ${name} from the sid suite of ${describe(mirror)}`);
  writeFileSync(join(directory, 'sources', 'sid.sources'), sources(mirror), { mode: 0o600 });
  const settings = privateSettings(directory);
  if (!(await run(['apt-get', ...settings, '-qq', 'update'], directory)).good) return undefined;
  if (!(await run(['apt-get', ...settings, '-qq', 'download', name], directory)).good)
    return undefined;
  const file = readdirSync(directory).find((entry) => entry.endsWith('.deb'));
  return file === undefined ? undefined : join(directory, file);
}

function temporaryDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'mydumper-fargate-setup-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  // apt downloads as the user _apt.
  chmodSync(directory, 0o755);
  for (const inner of ['sources', 'lists', 'cache', 'preferences'])
    mkdirSync(join(directory, inner));
  return directory;
}

/**
 * Finds the mirror of Debian's releases in apt's lists, printed as {@link TARGET_FORMAT}. Pure.
 * The archives of security updates and backports have other labels; a disc holds one suite only.
 * @returns its address without the slash at its end.
 */
export function ownMirror(targets) {
  const lines = targets.split('\n').filter((line) => line.endsWith(' Debian/Debian main'));
  const [mirror] = lines
    .map((line) => line.split(' ')[0])
    .filter((uri) => !uri.startsWith('cdrom:'));
  return mirror?.replace(/\/$/, '');
}

/** A mirror's address may hold a password. */
function describe(mirror) {
  const host = URL.canParse(mirror) ? new URL(mirror).host : '';
  return host === '' ? "this machine's mirror" : host;
}

/** This list accepts the expired Release file of a snapshot. apt still checks the signature. */
function sources(mirror) {
  const signedBy = existsSync(KEYRING) ? [`Signed-By: ${KEYRING}`] : [];
  const lines = [
    'Types: deb',
    `URIs: ${mirror}`,
    'Suites: sid',
    'Components: main',
    'Check-Valid-Until: no',
  ];
  return [...lines, ...signedBy, ''].join('\n');
}

function privateSettings(directory) {
  const settings = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(directory, 'sources'),
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': join(directory, 'preferences'),
    'Dir::State::Lists': join(directory, 'lists'),
    'Dir::Cache': join(directory, 'cache'),
    'APT::Default-Release': 'sid',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/**
 * Reads the output of `apt-get --simulate install`. Pure.
 * @returns the installed packages that apt would replace or remove. Their lines name the old
 *   version.
 */
export function changedPackages(simulation) {
  const lines = simulation.matchAll(/^(?:Inst (\S+) \[|(?:Remv|Purg) (\S+))/gm);
  return [...new Set([...lines].map(([, replaced, removed]) => replaced ?? removed))];
}
