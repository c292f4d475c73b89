/**
 * The main job on embedded servers: a MariaDB with a generated database, an S3 server slower than
 * mydumper, one backup through a staging directory a tenth of the dump's size, and the proof: the
 * backup loaded into an empty server and every table compared.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { manifestSchema } from '../app/manifest/schema.ts';
import { formatBytes, formatDuration } from '../app/observe/format.ts';
import { unpackBackup } from '../test/support/backup-folder.ts';
import { describeServer, differences } from '../test/support/mariadb/compare.ts';
import { createBulkDatabase, createNastyDatabases } from '../test/support/mariadb/dataset.ts';
import { startMariaDb } from '../test/support/mariadb/harness.ts';
import { loadWithMyloader } from '../test/support/mariadb/tools.ts';
import { awsEnvironment } from '../test/support/program.ts';
import { sampleDirectory } from '../test/support/sampler.ts';

const BUCKET = 'demo-backups';
const DATABASE_MIB = 240;
const STAGING_LIMIT_MIB = 24;
/** Compressed, mydumper gives several times as much. */
const S3_MB_PER_SECOND = 8;

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'mydumper-fargate-demo-'));
const cleanups: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
const say = (text: string) => console.log(text);
const seconds = (since: number) => formatDuration((performance.now() - since) / 1000);

async function demo(): Promise<void> {
  say(
    `1. Starting MariaDB and filling it with about ${DATABASE_MIB} MiB and some nasty tables ...`,
  );
  const database = await startMariaDb();
  cleanups.push(() => database.stop());
  let since = performance.now();
  const databases = await createNastyDatabases(database, { seed: 1, rows: 50 });
  await createBulkDatabase(database, { name: 'shop', megabytes: DATABASE_MIB, tables: 6 });
  databases.push('shop');
  say(`   done in ${seconds(since)}`);

  say(`2. Starting an S3 server limited to ${S3_MB_PER_SECOND} MB/s ...`);
  const s3 = await startS3();
  say(`   ${s3.endpoint}, bucket ${BUCKET}`);

  say(`3. Backing up through a staging directory of ${STAGING_LIMIT_MIB} MiB:`);
  const staging = join(directory, 'staging');
  const sampler = sampleDirectory(staging);
  cleanups.push(sampler.stop);
  since = performance.now();
  await runBackup({
    ...awsEnvironment({ s3: s3.endpoint }),
    BUCKET,
    SOURCE: 'demo',
    HOST: database.host,
    PORT: String(database.port),
    USERNAME: database.user,
    PASSWORD: database.password,
    OUTPUTDIR: staging,
    STAGING_LIMIT_MB: String(STAGING_LIMIT_MIB),
  });
  sampler.stop();
  say(
    `   staging never held more than ${formatBytes(sampler.peakBytes())}, looked at ` +
      `${sampler.samples()} times from outside`,
  );

  say('4. Loading the backup with plain myloader into an empty MariaDB ...');
  since = performance.now();
  const target = join(directory, 'restored');
  await fetchBackup(s3.endpoint, target);
  const copy = await startMariaDb();
  cleanups.push(() => copy.stop());
  const loaded = await loadWithMyloader(copy, target);
  if (loaded.exitCode !== 0 || loaded.problems.length > 0) {
    throw new Error(`myloader ended with ${loaded.exitCode}: ${loaded.problems.join('\n')}`);
  }
  say(`   done in ${seconds(since)}`);

  say('5. Comparing every table, view, trigger, routine and event ...');
  const before = await describeServer(database, databases);
  const found = differences(before, await describeServer(copy, databases));
  if (found.length > 0) throw new Error(`the copy differs:\n${found.join('\n')}`);
  say(`   ${Object.keys(before.objects).length} objects compared, no difference`);
}

/** A process of its own, as the real one would be. */
async function startS3(): Promise<{ endpoint: string }> {
  const options = [
    '--port',
    '0',
    '--dir',
    join(directory, 's3'),
    '--bucket',
    BUCKET,
    '--bandwidth',
    String(S3_MB_PER_SECOND),
  ];
  const server = spawn(process.execPath, [join(root, 'test/support/s3/main.ts'), ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => stopped(server));
  for await (const line of createInterface({ input: server.stdout })) {
    const endpoint = /^ready (\S+)$/.exec(line)?.[1];
    if (endpoint !== undefined) return { endpoint };
  }
  throw new Error('the S3 server ended before it was ready');
}

/**
 * On a terminal the program shows its progress itself. Elsewhere the demo shows its log lines in
 * short.
 */
async function runBackup(environment: Record<string, string>): Promise<void> {
  const isTerminal = process.stdout.isTTY === true;
  const program = spawn(process.execPath, [join(root, 'app/main.ts'), 'backup'], {
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', isTerminal ? 'inherit' : 'pipe', 'inherit'],
  });
  cleanups.push(() => stopped(program));
  let pauses = 0;
  if (program.stdout !== null) {
    for await (const line of createInterface({ input: program.stdout })) {
      const { event, message } = JSON.parse(line) as { event: string; message: string };
      if (event === 'paused') pauses += 1;
      if (!['paused', 'resumed'].includes(event)) say(`   ${message}`);
    }
    say(`   mydumper was paused ${pauses} times`);
  }
  const code = program.exitCode ?? (await new Promise((resolve) => program.once('exit', resolve)));
  if (code !== 0) throw new Error(`the backup ended with exit code ${code}`);
}

/** What `aws s3 sync` and `zstd -d` would do. */
async function fetchBackup(endpoint: string, target: string): Promise<void> {
  const credentials = { accessKeyId: 'demo', secretAccessKey: 'demo' };
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    region: 'eu-central-1',
    credentials,
  });
  const listed = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'demo/' }));
  const key = listed.Contents?.map((object) => object.Key ?? '').find((name) =>
    name.endsWith('/manifest.json'),
  );
  const answer = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  const manifest = manifestSchema.parse(JSON.parse((await answer.Body?.transformToString()) ?? ''));
  await unpackBackup(
    async (name) => {
      const object = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: name }));
      return object.Body as NodeJS.ReadableStream;
    },
    manifest,
    target,
  );
  client.destroy();
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () =>
    cleanUp().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143)),
  );
}
const since = performance.now();
try {
  await demo();
  say(`The backup holds everything. ${seconds(since)} in all.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
