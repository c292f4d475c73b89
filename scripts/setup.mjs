// Installs what `npm run demo` and `npm test` need and is missing: npm packages, with Node 24 for
// the scripts themselves, and by apt mydumper, the MariaDB programs and a few tools. Runs on any
// Node from 20 on, before anything is installed. Quick when nothing is missing. --programs installs
// no npm packages.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { changedPackages, debianMirror, downloadFromSid } from './sid.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const quiet = process.argv.includes('--quiet');
const forBench = process.argv.includes('--bench');
const forSoak = process.argv.includes('--soak');

/**
 * Programs that tests and demo run, with their packages. Set-up installs the first package that apt
 * knows.
 */
const PROGRAMS = [
  { program: 'mydumper', packages: ['mydumper'] },
  { program: 'myloader', packages: ['mydumper'] },
  { program: 'mariadbd', packages: ['mariadb-server-core', 'mariadb-server-core-10.6'] },
  { program: 'mariadb-install-db', packages: ['mariadb-server-core', 'mariadb-server-core-10.6'] },
  { program: 'mariadb', packages: ['mariadb-client-core', 'mariadb-client-core-10.6'] },
  { program: 'setpriv', packages: ['util-linux'] },
  { program: 'mount', packages: ['mount'] },
  { program: 'openssl', packages: ['openssl'] },
  { program: 'python3', packages: ['python3-minimal'] },
  // The programs that `npm run bench` compares with.
  ...(forBench
    ? [
        { program: 'aws', packages: ['awscli'] },
        { program: 'rclone', packages: ['rclone'] },
        { program: 'zstd', packages: ['zstd'] },
        { program: 'mariadb-dump', packages: ['mariadb-client'] },
      ]
    : []),
  // Balances connections in `npm run soak`.
  ...(forSoak ? [{ program: 'haproxy', packages: ['haproxy'] }] : []),
];

const SID_PAGE = 'https://packages.debian.org/sid/mydumper';
const BY_HAND = 'install mydumper by hand and run this again';

/** Servers live in directories that a user's PATH may lack. */
const searched = [
  ...(process.env.PATH ?? '').split(delimiter),
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
];

function has(program) {
  return searched.some((directory) => directory !== '' && existsSync(join(directory, program)));
}

function say(message) {
  if (!quiet) console.error(`setup: ${message}`);
}

function stop(message) {
  console.error(`setup: ${message}`);
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
  if (!isCurrent || !existsSync(node))
    npm('rebuild', '--ignore-scripts=false', ...packagesWithScripts());
  const binary = existsSync(node) ? node : process.execPath;
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
  if (Number(/^v(\d+)/.exec(version)?.[1]) < 24) {
    stop(
      `Node 24 is needed and ${version} was found; allow the install script of the npm ` +
        'package "node", or install Node 24',
    );
  }
}

/**
 * Returns the packages whose install scripts run: those that package.json allows. The others are
 * not needed.
 */
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

async function installPrograms() {
  const missing = missingPrograms();
  if (missing.length === 0) return;
  const named = missing.map(({ program }) => program).join(', ');
  if (!has('apt-get')) stop(`missing: ${named}; there is no apt-get here to install them`);
  const prefix = privilege();
  if (prefix === undefined) {
    const reason = 'this user is not root and has no sudo without a password';
    stop(`missing: ${named}; ${reason}; ${await instructions(missing)}`);
  }

  say('reading package lists');
  await run([...prefix, 'apt-get', 'update', '-qq']);
  const names = await packagesOf(missing);
  const mirror = (await hasNoMydumper(names)) ? await debianMirror(run) : undefined;
  if (mirror === undefined) await install(prefix, names);
  else await installWithSid(prefix, names, mirror);
  const still = missingPrograms().map(({ program }) => program);
  if (still.length > 0) stop(`still missing: ${still.join(', ')}`);
}

/** Downloads first, so that nothing is installed where the mirror has no mydumper. */
async function installWithSid(prefix, names, mirror) {
  const file = await downloadFromSid('mydumper', mirror, run, say);
  if (file === undefined)
    stop(`this release has no mydumper, and its mirror has none in sid (${SID_PAGE}); ${BY_HAND}`);
  const others = names.filter((name) => name !== 'mydumper');
  if (others.length > 0) await install(prefix, others);
  await refuseChanges(file);
  await install(prefix, [file]);
}

function missingPrograms() {
  return PROGRAMS.filter(({ program }) => !has(program));
}

async function packagesOf(programs) {
  const names = [];
  for (const { packages } of programs) names.push((await firstKnown(packages)) ?? packages[0]);
  return [...new Set(names)];
}

async function firstKnown(packages) {
  for (const name of packages) if (await isKnown(name)) return name;
  return undefined;
}

/** Returns true where mydumper is among the packages to install and apt does not know it. */
async function hasNoMydumper(names) {
  return names.includes('mydumper') && !(await isKnown('mydumper'));
}

/** Returns what a person can do where set-up may not install the programs. */
async function instructions(missing) {
  const names = await packagesOf(missing);
  const isMissing = await hasNoMydumper(names);
  const command = [
    'node',
    join(root, 'scripts', 'setup.mjs'),
    '--programs',
    ...(forBench ? ['--bench'] : []),
    ...(forSoak ? ['--soak'] : []),
  ];
  const hint = isMissing ? ` (Debian 13 has no mydumper; take it from ${SID_PAGE})` : '';
  return `as root run \`${command.join(' ')}\`, or install ${names.join(' ')}${hint}`;
}

async function install(prefix, names) {
  const named = names.map((name) => basename(name)).join(' ');
  say(`installing ${named}`);
  const command = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install'];
  const { good } = await run([...command, '-y', '-qq', '--no-install-recommends', ...names]);
  if (!good) stop(`apt-get could not install ${named}; install it by hand and run this again`);
}

/** Refuses a package of another suite that would replace or remove an installed package. */
async function refuseChanges(file) {
  const command = ['apt-get', '--simulate', 'install', '--no-install-recommends', file];
  const { good, stdout } = await run(command);
  const changed = changedPackages(stdout);
  if (good && changed.length === 0) return;
  const reason = good
    ? `would replace or remove ${changed.join(', ')}`
    : 'does not fit this release';
  stop(`mydumper was not installed: ${basename(file)} of Debian's sid ${reason}; ${BY_HAND}`);
}

/**
 * Returns the words before a command that run it as root; undefined where that needs a password.
 */
function privilege() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
    ? ['sudo', '-n']
    : undefined;
}

async function isKnown(name) {
  return /Candidate: (?!\(none\))/.test((await run(['apt-cache', 'policy', name])).stdout);
}

/** The command's output goes to ours only when it fails. */
async function run([command, ...args], cwd = root) {
  // Set-up parses apt's output, so it must be English.
  const env = { ...process.env, LC_ALL: 'C' };
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('error', resolve).once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) process.stderr.write(`${stdout}${stderr}`);
  return { good: code === 0, stdout };
}

// Programs first: where they cannot be installed, the user learns it at once.
await installPrograms();
if (!process.argv.includes('--programs')) installNpmPackages();
