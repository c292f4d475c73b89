import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { changedPackages, ownMirror } from '../scripts/sid.mjs';
import type { FakeApt } from './support/fake-apt-get.ts';
import { temporaryDirectory } from './support/program.ts';

const SETUP = fileURLToPath(new URL('../scripts/setup.mjs', import.meta.url));
const APT_GET = fileURLToPath(new URL('support/fake-apt-get.ts', import.meta.url));
const MIRROR = 'http://user:secret@mirror.example/debian';
const PACKAGE = 'mydumper_0.10.1-2_amd64.deb';
const SIMULATION =
  'Inst libmariadb3 (1:11.8.9 Debian:13 [amd64])\nInst mydumper (0.10.1-2 local-deb [amd64])';
/** Set-up looks for servers in /usr/sbin too, and the machine that runs this test has one there. */
const PRESENT = ['setpriv', 'mount', 'openssl', 'python3', 'mariadb', 'mariadbd'];
/** Set-up runs as if by this user, regardless of the user that runs the tests. */
const ROOT = 0;
const SOMEBODY = 1000;

type Call = { readonly argv: readonly string[]; readonly sources: string };

/**
 * Runs set-up on a simulated machine without mydumper and server, whose release has the packages
 * `known`. The PATH holds only the stand-in programs.
 */
function setUp(known: readonly string[], changed: Partial<FakeApt> = {}, user = ROOT) {
  const { path, remove } = temporaryDirectory('mf-setup');
  onTestFinished(remove);
  for (const name of ['bin', 'tmp']) mkdirSync(join(path, name));
  const program = (name: string, line: string) =>
    writeFileSync(join(path, 'bin', name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  for (const name of PRESENT) program(name, 'exit 0');
  program('sudo', 'exit 1');
  program('env', 'shift; exec "$@"');
  program('apt-cache', `case " ${known.join(' ')} " in *" $2 "*) echo "  Candidate: 1.0";; esac`);
  program('apt-get', `exec '${process.execPath}' '${APT_GET}' '${path}' "$@"`);
  const targets = `${MIRROR}/ Debian/Debian main`;
  const scenario: FakeApt = { targets, broken: [], simulation: SIMULATION, ...changed };
  writeFileSync(join(path, 'scenario.json'), JSON.stringify(scenario));
  writeFileSync(join(path, 'calls'), '');
  const asUser = ['--import', `data:text/javascript,process.getuid = () => ${user}`];
  const { status, stderr } = spawnSync(process.execPath, [...asUser, SETUP, '--programs'], {
    encoding: 'utf8',
    env: { PATH: join(path, 'bin'), TMPDIR: join(path, 'tmp') },
  });
  const calls = readFileSync(join(path, 'calls'), 'utf8').split('\n').filter(Boolean);
  return {
    status,
    said: stderr.trim().split('\n'),
    calls: calls.map((line) => JSON.parse(line) as Call),
    left: readdirSync(join(path, 'tmp')),
  };
}

/** The installed packages in their order. */
function installed(calls: readonly Call[]): string[] {
  return calls
    .filter(({ argv }) => argv[0] === 'install')
    .map(({ argv }) => argv.filter((argument) => !argument.startsWith('-')).slice(1))
    .map((names) => names.map((name) => name.replace(/^.*\//, '')).join(' '));
}

test('set-up takes mydumper from the release where it has one', () => {
  const { status, said, calls } = setUp(['mydumper', 'mariadb-server-core']);
  expect({ status, said }).toEqual({
    status: 0,
    said: ['setup: reading package lists', 'setup: installing mydumper mariadb-server-core'],
  });
  expect(calls.map(({ sources }) => sources)).toEqual(['the machine', 'the machine']);
});

test("set-up takes mydumper from sid of the machine's mirror where the release has none", () => {
  const { status, said, calls, left } = setUp(['mariadb-server-core']);
  expect({ status, said }).toEqual({
    status: 0,
    said: [
      'setup: reading package lists',
      'setup: downloading mydumper from the sid suite of mirror.example',
      'setup: installing mariadb-server-core',
      `setup: installing ${PACKAGE}`,
    ],
  });
  expect(installed(calls)).toEqual(['mariadb-server-core', PACKAGE]);
  expect(left).toEqual([]);
});

test('set-up reads sid with separate lists, pins and cache, and accepts only signed lists', () => {
  const { calls } = setUp(['mariadb-server-core']);
  const ofSid = calls.filter(({ sources }) => sources !== 'the machine');
  expect(
    ofSid.map(({ argv }) => argv.findLast((argument) => !argument.includes('mydumper'))),
  ).toEqual(['update', 'download']);
  for (const { argv, sources } of ofSid) {
    const options = argv.filter((argument) => argument.startsWith('Dir::'));
    expect(options.map((option) => option.split('=')[0]).toSorted()).toEqual([
      'Dir::Cache',
      'Dir::Etc::Preferences',
      'Dir::Etc::PreferencesParts',
      'Dir::Etc::SourceList',
      'Dir::Etc::SourceParts',
      'Dir::State::Lists',
    ]);
    for (const option of options)
      expect(option).toMatch(/=(\/dev\/null$|.*\/mydumper-fargate-setup-)/);
    expect(sources).toContain(`Types: deb\nURIs: ${MIRROR}\nSuites: sid\nComponents: main\n`);
    expect(`${argv} ${sources}`).not.toMatch(/trusted|allow-?(insecure|unauthenticated|weak)/i);
  }
});

test('set-up installs nothing where the mirror has no sid', () => {
  const { status, said, calls, left } = setUp(['mariadb-server-core'], { broken: [MIRROR] });
  expect(status).toBe(1);
  expect(said.at(-1)).toMatch(
    /^setup: this release has no mydumper, and its mirror .*; install mydumper by hand/,
  );
  expect(installed(calls)).toEqual([]);
  expect(left).toEqual([]);
});

test('set-up does not install a mydumper that would change packages of the machine', () => {
  const changes = 'Remv mariadb-client [11]\nInst libc6 [2.36] (2.42 Debian:sid [amd64])';
  const simulation = `${changes}\n${SIMULATION}`;
  const { status, said, calls } = setUp(['mariadb-server-core'], { simulation });
  expect(status).toBe(1);
  expect(said.at(-1)).toMatch(
    /mydumper was not installed: .*would replace or remove mariadb-client, libc6; /,
  );
  expect(installed(calls)).not.toContain(PACKAGE);
});

test('set-up without root and sudo prints one line with what is missing and what to do', () => {
  const { status, said, calls } = setUp(['mariadb-server-core'], {}, SOMEBODY);
  expect(status).toBe(1);
  expect(said).toEqual([
    'setup: missing: mydumper, myloader, mariadb-install-db; this user is not root and has ' +
      'no sudo without a password; ' +
      `as root run \`node ${SETUP} --programs\`, or install mydumper mariadb-server-core ` +
      '(Debian 13 has no mydumper; take it from https://packages.debian.org/sid/mydumper)',
  ]);
  expect(installed(calls)).toEqual([]);
});

test('the mirror is that of releases, not of security updates, backports or a disc', () => {
  const targets = [
    'http://security.example/debian-security/ Debian/Debian-Security main',
    'http://backports.example/debian/ Debian/Debian Backports main',
    'cdrom:[Debian 13]/ Debian/Debian main',
    'https://vendor.example/apt/ Vendor/Vendor main',
    'http://mirror.example/debian/ Debian/Debian contrib',
    'http://mirror.example/debian/ Debian/Debian main',
  ];
  expect(ownMirror(targets.join('\n'))).toBe('http://mirror.example/debian');
  expect(ownMirror('http://archive.example/ubuntu/ Ubuntu/Ubuntu main\n')).toBeUndefined();
});

test('an addition changes no package; an upgrade, a downgrade and a removal do', () => {
  expect(changedPackages(`${SIMULATION}\nConf mydumper (0.10.1-2 local-deb [amd64])\n`)).toEqual(
    [],
  );
  expect(
    changedPackages(
      'Inst libc6 [2.41] (2.42 sid [amd64]) [libc6:i386 ]\nRemv a [1]\nPurg b [2]\nRemv a [1]\n',
    ),
  ).toEqual(['libc6', 'a', 'b']);
});
