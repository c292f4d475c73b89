import { expect, test } from 'vitest';
import { refusedMydumperFlags } from '../../app/mydumper/extra-arguments.ts';

test.each([
  [['--'], /^refuses --:/],
  [['--outputdir=x'], /OUTPUTDIR/],
  [['-mo', 'x'], /OUTPUTDIR/],
  // GLib takes an option of a group with the beginning of the group's name before it.
  [['--connection-password=x'], /PASSWORD/],
  [['--c-host', 'x'], /HOST/],
  [['--help-all'], /mydumper itself/],
  // Some options take the next word only where it is no option.
  [['--throttle', '--outputdir=x'], /OUTPUTDIR/],
  [['-x', '-o'], /OUTPUTDIR/],
  [['x'], /stray word/],
])('%j is refused', (words, reason) => {
  expect(refusedMydumperFlags(words).join('\n')).toMatch(reason);
});

test.each([
  [['--compress-protocol', '--tls-version=TLSv1.2']],
  [['--regex', '^a', '-x', '^b', '--skip-ddl-locks', '-m']],
])('%j may pass', (words) => {
  expect(refusedMydumperFlags(words)).toEqual([]);
});
