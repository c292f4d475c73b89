import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Manifest, type ManifestFile, manifestSchema } from '../../app/manifest/schema.ts';
import { readMetadataTables } from '../../app/mydumper/metadata-tables.ts';
import { objectsOf, unpackBackup } from '../../test/support/backup-folder.ts';
import { describeServer, type ServerDescription } from '../../test/support/mariadb/compare.ts';
import type { MariaDb } from '../../test/support/mariadb/harness.ts';
import { awsEnvironment, runProgram } from '../../test/support/program.ts';
import type { S3Server } from '../../test/support/s3/server.ts';
import { dropDatabases } from '../database.ts';
import { fillShape } from './database.ts';
import { databasesIn, type Shape } from './plan.ts';
import { BUCKET } from './scene.ts';

/** A backup in the bucket, and what its source held. */
export type PreparedBackup = {
  readonly source: string;
  readonly databases: readonly string[];
  readonly before: ServerDescription;
  readonly files: readonly ManifestFile[];
  readonly storedBytes: number;
  /** Name of a file's table in the server. */
  readonly tableOf: (file: ManifestFile) => string;
};

export async function prepareBackup(
  { directory, s3, source: db }: { directory: string; s3: S3Server; source: MariaDb },
  shape: Shape,
): Promise<PreparedBackup> {
  const source = `shape-${shape.seed}-${shape.number}`;
  await fillShape(db, shape);
  const databases = [...new Set([...databasesIn(shape), 'shop'])];
  const before = await describeServer(db, databases);
  const environment = {
    ...awsEnvironment({ s3: s3.endpoint }),
    BUCKET,
    SOURCE: source,
    HOST: db.host,
    PORT: String(db.port),
    USERNAME: db.user,
    PASSWORD: db.password,
    OUTPUTDIR: join(directory, 'staging'),
    STAGING_LIMIT_MB: '64',
    CHUNK_FILE_SIZE_MB: String(shape.chunkMiB),
    THREADS: String(shape.threads),
    COMPRESS: shape.compression,
  };
  const { code, stdout, stderr } = await runProgram(environment, ['backup']);
  if (code !== 0) throw new Error(`the backup to restore was not made:\n${stdout}${stderr}`);
  await dropDatabases(db);
  const manifest = await manifestOf(s3, source);
  const metadata = await readMetadata(s3, manifest, join(directory, source));
  const { realNames } = readMetadataTables(metadata);
  return {
    source,
    databases,
    before,
    files: manifest.files,
    storedBytes: manifest.files.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    tableOf: ({ database, table }) => realNames.get(`${database}.${table}`) ?? table ?? '',
  };
}

async function manifestOf(s3: S3Server, source: string): Promise<Manifest> {
  const keys = (await s3.objects(BUCKET)).map(({ key }) => key);
  const key = keys.find((each) => each.startsWith(`${source}/`) && each.endsWith('/manifest.json'));
  const text = (await s3.readObject(BUCKET, key ?? '')).toString('utf8');
  return manifestSchema.parse(JSON.parse(text));
}

/** Also compares the whole backup with its manifest, before any object is altered. */
async function readMetadata(s3: S3Server, manifest: Manifest, target: string): Promise<string> {
  await unpackBackup(objectsOf(s3, BUCKET), manifest, target);
  const file = manifest.files.find(({ kind }) => kind === 'metadata');
  const text = readFileSync(join(target, file?.name ?? ''), 'utf8');
  rmSync(target, { recursive: true });
  return text;
}
