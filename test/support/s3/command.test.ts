import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test } from 'vitest';
import { testClient, testDirectory } from './test-setup.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

function start(...given: string[]) {
  const child = spawn(process.execPath, [main, ...given], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const out = { text: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out.text += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    out.errors += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...out }));
  return { child, out, ended };
}

test('the command serves until SIGTERM', async () => {
  const dir = await testDirectory();
  const { child, out, ended } = start(
    ...['--port', '0', '--dir', dir, '--bucket', 'one', '--bucket', 'two', '--bandwidth', '100'],
  );
  await expect
    .poll(() => out.text, { timeout: 20_000 })
    .toMatch(/^ready http:\/\/127\.0\.0\.1:\d+\n$/);
  const endpoint = out.text.trim().replace('ready ', '');
  await testClient({ endpoint }).send(
    new PutObjectCommand({ Bucket: 'two', Key: 'a/b', Body: 'hello' }),
  );
  expect(await readFile(join(dir, 'two/objects/a/b'), 'utf8')).toBe('hello');
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, text: out.text, errors: '' });
});

test('the command explains itself', async () => {
  const { code, text } = await start('--help').ended;
  expect(code).toBe(0);
  expect(text).toContain('--bandwidth <MB/s>');
});

test.each([
  [['--port', '0', '--bucket', 'box'], '--dir is required'],
  [['--port', 'x', '--dir', 'd', '--bucket', 'box'], '--port must be a number'],
  [['--port', '0', '--dir', 'd', '--bucket', 'box', '--bandwidth', '0'], '--bandwidth must be'],
  [['--port', '0', '--dir', '/nonexistent', '--bucket', 'No'], 'not a bucket name: No'],
  [['--colour'], "Unknown option '--colour'"],
])('the command refuses %j in one line', async (given, message) => {
  const { code, text, errors } = await start(...given).ended;
  expect({ code, text }).toEqual({ code: 2, text: '' });
  expect(errors).toContain(message);
  expect(errors.trimEnd().split('\n')).toHaveLength(1);
});
