// Installs what `npm run demo` and `npm test` need and is missing: npm packages (with Node 24 for the scripts themselves) and, by
// apt, mydumper and the MariaDB programs. Runs on any Node from 20 on, before anything is installed. Quick when nothing is missing.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const quiet = process.argv.includes('--quiet');
const forBench = process.argv.includes('--bench');

/** Programs the tests and the demo run, with the packages that hold them; of several names the first that apt knows is taken. */
const PROGRAMS = [
  { program: 'mydumper', packages: ['mydumper'] },
  { program: 'myloader', packages: ['mydumper'] },
  { program: 'mariadbd', packages: ['mariadb-server-core', 'mariadb-server-core-10.6'] },
  { program: 'mariadb-install-db', packages: ['mariadb-server-core', 'mariadb-server-core-10.6'] },
  { program: 'mariadb', packages: ['mariadb-client-core', 'mariadb-client-core-10.6'] },
  { program: 'setpriv', packages: ['util-linux'] },
  // Those that `npm run bench` compares with.
  ...(forBench
    ? [
        { program: 'aws', packages: ['awscli'] },
        { program: 'rclone', packages: ['rclone'] },
        { program: 'zstd', packages: ['zstd'] },
        { program: 'openssl', packages: ['openssl'] },
        { program: 'mariadb-dump', packages: ['mariadb-client'] },
      ]
    : []),
];

/** Servers live in directories that a user's PATH may lack. */
const searched = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

function has(program) {
  return searched.some((directory) => directory !== '' && existsSync(join(directory, program)));
}

function say(text) {
  if (!quiet) console.error(`setup: ${text}`);
}

function stop(text) {
  console.error(`setup: ${text}`);
  process.exit(1);
}

function installNpmPackages() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  const isCurrent = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
  if (!isCurrent) {
    say('installing npm packages');
    npm('ci', '--ignore-scripts', '--no-audit');
  }
  const node = join(root, 'node_modules', '.bin', 'node');
  if (!isCurrent || !existsSync(node)) npm('rebuild', '--ignore-scripts=false', ...packagesWithScripts());
  const binary = existsSync(node) ? node : process.execPath;
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
  if (Number(/^v(\d+)/.exec(version)?.[1]) < 24) {
    stop(
      `Node 24 is needed and ${version} was found; allow the install script of the npm package "node", or install Node 24`,
    );
  }
}

/** Of the install scripts that packages bring only those run that package.json names; the others are not needed. */
function packagesWithScripts() {
  const { allowScripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.keys(allowScripts).filter((name) => allowScripts[name]);
}

function npm(...words) {
  const { status } = spawnSync('npm', [...words, '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) stop(`npm ${words[0]} failed; see above`);
}

function installPrograms() {
  const missing = PROGRAMS.filter(({ program }) => !has(program));
  if (missing.length === 0) return;
  const byHand = `install ${[...new Set(missing.map(({ packages }) => packages[0]))].join(' ')} (for ${missing.map(({ program }) => program).join(', ')})`;
  if (!has('apt-get')) stop(`there is no apt-get here; ${byHand}`);
  const prefix = privilege();
  if (prefix === undefined) stop(`neither root nor sudo without a password; ${byHand}`);

  say('reading package lists');
  run([...prefix, 'apt-get', 'update', '-qq']);
  const names = [...new Set(missing.map(({ packages }) => packages.find(isKnown) ?? packages[0]))];
  say(`installing ${names.join(' ')}`);
  const environment = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  if (
    !run([...prefix, ...environment, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...names])
  ) {
    stop(`apt-get could not install them; ${byHand}`);
  }
  const still = PROGRAMS.filter(({ program }) => !has(program));
  if (still.length > 0) stop(`still missing: ${still.map(({ program }) => program).join(', ')}`);
}

/** What to put before a command to run it as root; undefined when that is not possible without asking. */
function privilege() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

function isKnown(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8' });
  return /Candidate: (?!\(none\))/.test(stdout ?? '');
}

/** Its output goes to ours only when it fails. */
function run([command, ...args]) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status !== 0) console.error(`${stdout ?? ''}${stderr ?? ''}`);
  return status === 0;
}

installNpmPackages();
installPrograms();
