// Downloads a package from Debian's sid suite, for releases that lack it. Debian 13 has no mydumper.
// apt gets a sources list, package lists, pins and a cache of its own in a temporary directory, so that
// those of the machine stay as they are. Only the package comes from sid; the packages it needs come from
// the machine's own release. The download needs no privilege.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OS_RELEASE = '/etc/os-release';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const FALLBACK_MIRROR = 'http://deb.debian.org/debian';
/** Prints a line for each package list that apt has: its mirror, origin, label and component. */
const TARGET_FORMAT = '$(REPO_URI) $(ORIGIN)/$(LABEL) $(COMPONENT)';

/**
 * Finds mirrors that may hold sid: the one that this machine installs Debian from, then Debian's own.
 * A machine that is no Debian gets none: packages of sid may not fit there.
 * `run` executes a command and resolves with success and output.
 */
export async function sidMirrors(run) {
  const command = ['apt-get', 'indextargets', '--format', TARGET_FORMAT, 'Created-By: Packages'];
  const { stdout } = await run(command);
  const own = ownMirror(stdout);
  const debian = own.length > 0 || isDebian();
  return debian ? [...new Set([...own, FALLBACK_MIRROR])] : [];
}

/**
 * Downloads `name` into a temporary directory, which is removed when this process ends.
 * @returns the path of the package file, or undefined when no mirror has one.
 */
export async function downloadFromSid(name, mirrors, run, say) {
  const directory = temporaryDirectory();
  for (const mirror of mirrors) {
    say(`downloading ${name} from the sid suite of ${describe(mirror)}`);
    writeFileSync(join(directory, 'sources', 'sid.sources'), sources(mirror), { mode: 0o600 });
    const settings = privateSettings(directory);
    if (!(await run(['apt-get', ...settings, '-qq', 'update'], directory)).good) continue;
    if (!(await run(['apt-get', ...settings, '-qq', 'download', name], directory)).good) continue;
    const file = readdirSync(directory).find((entry) => entry.endsWith('.deb'));
    if (file !== undefined) return join(directory, file);
  }
  return undefined;
}

function temporaryDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'mydumper-fargate-setup-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  // apt downloads as the user _apt.
  chmodSync(directory, 0o755);
  for (const inner of ['sources', 'lists', 'cache', 'preferences']) mkdirSync(join(directory, inner));
  return directory;
}

/**
 * Finds the mirror of Debian's releases in apt's lists, printed as {@link TARGET_FORMAT}. Pure.
 * The archives of security updates and backports have other labels; a disc holds one suite only.
 * @returns a list of one, without the slash at its end, or an empty list.
 */
export function ownMirror(targets) {
  const lines = targets.split('\n').filter((line) => line.endsWith(' Debian/Debian main'));
  const [mirror] = lines.map((line) => line.split(' ')[0]).filter((uri) => !uri.startsWith('cdrom:'));
  return mirror === undefined ? [] : [mirror.replace(/\/$/, '')];
}

/** A mirror's address may hold a password. */
function describe(mirror) {
  const host = URL.canParse(mirror) ? new URL(mirror).host : '';
  return host === '' ? "this machine's mirror" : host;
}

/** This list accepts the expired Release file of a snapshot. apt still checks the signature. */
function sources(mirror) {
  const signedBy = existsSync(KEYRING) ? [`Signed-By: ${KEYRING}`] : [];
  const lines = ['Types: deb', `URIs: ${mirror}`, 'Suites: sid', 'Components: main', 'Check-Valid-Until: no'];
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
 * @returns the installed packages that apt would replace or remove. Their lines name the old version.
 */
export function changedPackages(simulation) {
  const lines = simulation.matchAll(/^(?:Inst (\S+) \[|(?:Remv|Purg) (\S+))/gm);
  return [...new Set([...lines].map(([, replaced, removed]) => replaced ?? removed))];
}

function isDebian() {
  return existsSync(OS_RELEASE) && /^ID="?debian"?$/m.test(readFileSync(OS_RELEASE, 'utf8'));
}
