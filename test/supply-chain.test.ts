import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { judgeAudit } from '../scripts/audit.mjs';

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
type Locked = {
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
  readonly resolved?: string;
};
const locked = Object.entries(
  (JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }).packages,
).filter(([path]) => path !== '');

test('only packages that package.json names have install scripts', () => {
  const { allowScripts } = JSON.parse(read('package.json')) as {
    allowScripts: Record<string, boolean>;
  };
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript);
  expect(scripted.map(([path]) => path.replace(/^.*node_modules\//, '')).toSorted()).toEqual(
    Object.keys(allowScripts).toSorted(),
  );
});

test('each package comes from the registry, and its content is fixed', () => {
  const loose = locked.filter(
    ([, { integrity, resolved }]) => integrity === undefined || resolved !== undefined,
  );
  // The integrity of a package covers the packages bundled in it.
  expect(loose.filter(([, entry]) => !('inBundle' in entry))).toEqual([]);
});

test('installs run no scripts of packages and use the versions of the lock file', () => {
  for (const name of ['Dockerfile', 'scripts/setup.mjs']) {
    const text = read(name);
    expect(text).toMatch(/\bci\b.*--ignore-scripts/);
    expect(text).not.toMatch(/npm['",\s]+(?:install|i|update)\b/);
  }
});

const refused =
  'npm warn audit 405 Method Not Allowed - POST https://r/\n\nnpm error audit endpoint ' +
  'returned an error\n';
const finding = JSON.stringify({
  vulnerabilities: {
    a: { via: [{ name: 'a', severity: 'low', title: 'bad', url: 'https://x/1' }] },
    b: { via: ['a'] },
  },
});

test.each([
  ['nothing found', '{"vulnerabilities":{}}', '', {}, true],
  ['no audit service', '{"error":{}}', refused, {}, true],
  [
    'a registry out of reach',
    '{"error":{}}',
    'npm error audit endpoint returned an error',
    {},
    false,
  ],
  ['a registry that fails', '', refused.replace('405', '503'), {}, false],
  ['a finding', finding, '', {}, false],
  ['a finding, regardless of warnings', finding, refused, {}, false],
  ['a finding that is explained', finding, '', { 'https://x/1': 'not reached' }, true],
])('audit: %s', (_case, stdout, stderr, explained, good) => {
  expect(judgeAudit(stdout, stderr, explained).good).toBe(good);
});
