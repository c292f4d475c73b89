import {
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { aptInstall, run, works } from './commands.ts';

/** The release the Dockerfile's own base is made of. */
const CODENAME = 'bookworm';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Makes a replacement of the image `node:24-bookworm-slim` for machines without access to a
 * registry of images: Debian by debootstrap, this machine's Node, and npm.
 * @returns a directory with a Dockerfile for it. It is kept, one for each Node version.
 */
export async function makeBase(cache: string): Promise<string> {
  const context = join(cache, `base-${CODENAME}-${process.version}`);
  if (existsSync(join(context, 'Dockerfile'))) return context;
  if (!(await works('debootstrap', '--version'))) await aptInstall('debootstrap');
  const work = `${context}-${process.pid}`;
  const root = join(work, 'root');
  try {
    mkdirSync(work, { recursive: true });
    await run([
      'debootstrap',
      '--variant=minbase',
      '--include=ca-certificates',
      CODENAME,
      root,
      ...(await mirror()),
    ]);
    addNode(root);
    if (existsSync(CERTIFICATES))
      cpSync(CERTIFICATES, join(root, CERTIFICATES), { dereference: true });
    await run([
      'tar',
      '--directory',
      root,
      '--exclude=./var/cache/apt/archives/*.deb',
      '--create',
      '--file',
      join(work, 'root.tar'),
      '.',
    ]);
    writeFileSync(
      join(work, 'Dockerfile'),
      ['FROM scratch', 'ADD root.tar /', ...(await npmSettings()), ''].join('\n'),
    );
    rmSync(root, { recursive: true });
    rmSync(context, { recursive: true, force: true });
    renameSync(work, context);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return context;
}

/** The mirror of this machine, if it is one of that release. Otherwise debootstrap chooses one. */
async function mirror(): Promise<string[]> {
  const format = '$(REPO_URI) $(CODENAME) $(COMPONENT)';
  const lines = await run([
    'apt-get',
    'indextargets',
    '--format',
    format,
    'Created-By: Packages',
  ]).catch(() => '');
  const found = lines.split('\n').find((line) => line.endsWith(` ${CODENAME} main`));
  return found?.split(' ').slice(0, 1) ?? [];
}

function addNode(root: string): void {
  const local = join(root, 'usr/local');
  cpSync(process.execPath, join(local, 'bin/node'), { dereference: true });
  // npm sets npm_execpath for the scripts that it runs.
  const npm = process.env.npm_execpath;
  if (npm === undefined)
    throw new Error('npm_execpath is not set; start this with npm run test:image');
  cpSync(dirname(dirname(realpathSync(npm))), join(local, 'lib/node_modules/npm'), {
    recursive: true,
  });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
}

/**
 * Puts this machine's settings of the package registry into the base, so that the Dockerfile needs
 * none.
 */
async function npmSettings(): Promise<string[]> {
  const registry = (await run(['npm', 'config', 'get', 'registry'])).trim();
  return [`ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, `ENV npm_config_registry=${registry}`];
}
