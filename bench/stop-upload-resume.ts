/**
 * Does the same as the simplest tools with a small disk. It lets mydumper write until the disk is
 * nearly full and stops it. Then it uploads every finished file, deletes these files and resumes
 * mydumper.
 * Usage: `stop-upload-resume.ts <endpoint> <directory> <budget bytes> mydumper <arguments>`. The
 * AWS SDK uploads four files at a time.
 */
import { spawn } from 'node:child_process';
import { createReadStream, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { allocatedBytes } from './disk.ts';

const [endpoint = '', directory = '', budget = '0', binary = 'mydumper', ...argv] =
  process.argv.slice(2);
const AT_ONCE = 4;
const PERIOD_MILLISECONDS = 5;
/** Of the budget; the rest is for what mydumper writes before it is looked at again. */
const STOP_AT = 0.8;

const client = new S3Client({ endpoint, region: 'eu-central-1', forcePathStyle: true });

function openFiles(pid: number): Set<string> {
  const links = readdirSync(`/proc/${pid}/fd`).map((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    } catch {
      return '';
    }
  });
  return new Set(links);
}

async function upload(names: readonly string[]): Promise<void> {
  const left = names.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const name of left) {
        const path = join(directory, name);
        const params = { Bucket: 'bench', Key: `simple/${name}`, Body: createReadStream(path) };
        await new Upload({ client, params }).done();
        rmSync(path);
      }
    }),
  );
}

function printEvent(event: 'paused' | 'resumed'): void {
  console.log(JSON.stringify({ event, timestamp: new Date().toISOString() }));
}

const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', binary, ...argv], {
  stdio: ['ignore', 2, 2],
});
const pid = child.pid ?? 0;
let code: number | null | undefined;
child.once('exit', (exitCode) => {
  code = exitCode;
});
while (code === undefined) {
  if (allocatedBytes(directory) < STOP_AT * Number(budget)) {
    await sleep(PERIOD_MILLISECONDS);
    continue;
  }
  child.kill('SIGSTOP');
  printEvent('paused');
  await sleep(1); // what it was about to write is written
  const open = openFiles(pid);
  const finished = readdirSync(directory).filter((name) => !open.has(join(directory, name)));
  await upload(finished);
  child.kill('SIGCONT');
  printEvent('resumed');
  if (finished.length === 0) await sleep(PERIOD_MILLISECONDS);
}
if (code !== 0) throw new Error(`mydumper ended with ${code}`);
await upload(readdirSync(directory));
