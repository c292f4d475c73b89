import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUCKET, leftInStaging, startWorld, type World } from '../test/e2e/world.ts';
import { databasesOf, makeBackup } from '../test/restore/setting.ts';
import {
  describeServer,
  differences,
  type ServerDescription,
} from '../test/support/mariadb/compare.ts';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';
import { rowNumbers } from '../test/support/mariadb/sql.ts';

/*
 * Runs the commands of docs/runbook.md as the page has them, with the test's hosts, bucket,
 * password and paths. Needs the AWS CLI (`apt-get install awscli`).
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PASSWORD = `it's "$HOME" \\ secret`;
const ACCOUNTS = [`'app'@'%'`, `'rep''ort'@'10.0.0.%'`, `'back\\\\slash'@'localhost'`];

let world: World;
let target: MariaDb;
let before: ServerDescription;
let firstBackup: string;
const databases = ['shop', 'other'];

beforeAll(async () => {
  world = await startWorld();
  target = await startMariaDb();
  for (const server of [world.db, target])
    await server
      .query(`CREATE USER admin@'%' IDENTIFIED BY ?`, [PASSWORD])
      .then(() => server.query(`GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION`));
  await world.db.query('CREATE DATABASE shop');
  await world.db.query('CREATE DATABASE other');
  await world.db.query('CREATE TABLE shop.orders (id int PRIMARY KEY, t text)');
  await world.db.query(
    `INSERT INTO shop.orders SELECT seq, repeat(LEFT(SHA2(seq, 224), 32), 20)
     FROM ${rowNumbers(world.db, 20_000)}`,
  );
  await world.db.query(`CREATE TABLE other.t AS SELECT seq id FROM ${rowNumbers(world.db, 100)}`);
  for (const account of ACCOUNTS)
    await world.db.query(`CREATE USER ${account} IDENTIFIED BY 'x;''y'`);
  await world.db.query(`GRANT SELECT, INSERT ON shop.* TO ${ACCOUNTS[0]}`);
  await world.db.query(`GRANT SELECT (id) ON shop.orders TO ${ACCOUNTS[1]}`);
  await world.db.query(`GRANT PROCESS ON *.* TO ${ACCOUNTS[2]}`);
  await world.db.query(
    `CREATE DEFINER=${ACCOUNTS[0]} SQL SECURITY DEFINER VIEW shop.recent AS
     SELECT id FROM shop.orders WHERE id > 19990`,
  );
  before = await describeServer(world.db, databases);
  await aws(
    `s3api put-bucket-versioning --bucket ${BUCKET} --versioning-configuration Status=Enabled`,
  );
  firstBackup = (await makeBackup(world, { SOURCE: 'db.internal' })).split('/').at(-2) ?? '';
  await makeBackup(world, { SOURCE: 'db.internal' });
});
afterAll(async () => {
  await target?.stop();
  await world?.stop();
});

test('I have lost my database, step by step', async () => {
  const page = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8');
  const steps = blocksOf(section(page, 'I have lost my database'));
  const [off, where, list, verify, target_, dryRun, restore, users, on, ...rest] = steps;
  const exports = [where, target_].join('\n');

  await sql(off);
  expect(await scheduler()).toBe('OFF');
  const listed = await shell(list, where);
  expect(listed.stdout).toContain(firstBackup);
  expect(await shell(verify, where)).toMatchObject({ code: 0 });
  const planned = await shell(dryRun, exports);
  expect(planned).toMatchObject({ code: 0 });
  expect(await databasesOf(target)).toEqual([]);
  const restored = await shell(restore, exports);
  expect(restored).toMatchObject({ code: 0 });
  expect(restored.stdout).toContain('the restored content matches the backup');
  expect(leftInStaging(world)).toEqual([]);

  expect(await shell(users)).toMatchObject({ code: 0 });
  for (const account of ACCOUNTS)
    expect(await accountOf(target, account)).toEqual(await accountOf(world.db, account));
  // Not before: the server describes a view otherwise if its definer has no account.
  expect(differences(before, await describeServer(target, databases))).toEqual([]);
  await sql(on);
  expect(await scheduler()).toBe('ON');
  expect(Number((await target.query('SELECT count(*) n FROM shop.recent'))[0]?.n)).toBe(10);

  const [parts, versions, ...others] = rest;
  expect(others).toEqual([]);
  await target.query('UPDATE shop.orders SET t = NULL');
  await target.query('UPDATE other.t SET id = 0');
  expect(await shell(parts, exports)).toMatchObject({ code: 0 });
  const shop = await describeServer(world.db, ['shop']);
  expect(differences(shop, await describeServer(target, ['shop']))).toEqual([]);
  expect(Number((await target.query('SELECT count(*) n FROM shop_rescue.orders'))[0]?.n)).toBe(
    20_000,
  );
  // The restore leaves other tables alone.
  expect(Number((await target.query('SELECT max(id) n FROM other.t'))[0]?.n)).toBe(0);

  const key =
    (await world.s3.objects(BUCKET)).find(
      ({ key }) => /shop\.orders\..*sql/.test(key) && key.includes(firstBackup),
    )?.key ?? '';
  for (const damage of ['delete', 'replace'] as const) {
    if (damage === 'delete') await aws(`s3api delete-object --bucket ${BUCKET} --key ${key}`);
    else await aws(`s3api put-object --bucket ${BUCKET} --key ${key} --body ${ROOT}README.md`);
    expect(await shell(`node app/main.ts verify ${firstBackup}`, where)).toMatchObject({ code: 7 });
    const [ask, ...mend] = (versions ?? '').replaceAll('<key>', key).split('\n');
    const { stdout: known } = await shell(ask);
    const size = (await storedBytes(key)).toString();
    const good = known.split('\n').find((line) => line.split('\t').at(3) === size);
    const versionId = good?.split('\t').at(0) ?? '';
    expect(
      await shell(mend.join('\n').replaceAll('<the one before>', versionId), where),
    ).toMatchObject({
      code: 0,
    });
  }
});

/** The size of an object in the manifest. */
async function storedBytes(key: string): Promise<number> {
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const manifest = JSON.parse(
    (await world.s3.readObject(BUCKET, `${folder}manifest.json`)).toString('utf8'),
  ) as {
    files: readonly { key: string; storedBytes: number }[];
  };
  const file = manifest.files.find((entry) => key.endsWith(entry.key));
  expect(file).toBeDefined();
  return file?.storedBytes ?? 0;
}

async function scheduler(): Promise<unknown> {
  return (await target.query('SELECT @@global.event_scheduler s'))[0]?.s;
}

async function accountOf(db: MariaDb, account: string): Promise<unknown> {
  return [
    (await db.query(`SHOW CREATE USER ${account}`)).flatMap((row) => Object.values(row)),
    (await db.query(`SHOW GRANTS FOR ${account}`)).flatMap((row) => Object.values(row)).sort(),
  ];
}

async function sql(block: string | undefined): Promise<void> {
  for (const statement of (block ?? '').split('\n')) await target.query(statement);
}

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a block of the page in bash, with this test's servers in place of the page's. */
async function shell(block: string | undefined, exports: string | undefined = ''): Promise<Ran> {
  const quoted = `'${PASSWORD.replaceAll("'", `'\\''`)}'`;
  const client = (db: MariaDb) => `-h 127.0.0.1 -P ${db.port}`;
  const text = `set -e -o pipefail\n${exports}\n${block}`
    .replaceAll('-h old-db.internal', client(world.db))
    .replaceAll('-h new-db.internal', client(target))
    .replaceAll(' -p ', ` -p${quoted} `)
    .replaceAll('PASSWORD=...', `PASSWORD=${quoted}`)
    .replaceAll('HOST=new-db.internal', `HOST=127.0.0.1 PORT=${target.port}`)
    .replaceAll('my-backups', BUCKET)
    .replaceAll('node app/main.ts', `node ${ROOT}app/main.ts`)
    .replaceAll('20261121T030000Z', firstBackup)
    .replaceAll('aws s3api', `aws --endpoint-url ${world.s3.endpoint} s3api`);
  try {
    const {
      HOST: _host,
      PORT: _port,
      PASSWORD: _password,
      BUCKET: _bucket,
      OUTPUTDIR: _dir,
      ...rest
    } = world.environment();
    const env = {
      ...rest,
      PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH ?? ''}`,
      AWS_DEFAULT_REGION: 'eu-central-1',
    };
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', text], {
      env,
      cwd: world.directory,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ran;
    return { code, stdout, stderr };
  }
}

async function aws(command: string): Promise<void> {
  expect(await shell(`aws ${command}`)).toMatchObject({ code: 0 });
}

/** The text below a heading of the second level. */
function section(page: string, heading: string): string {
  return page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
}

/** Indented blocks, without their indentation. */
function blocksOf(text: string): string[] {
  const blocks: string[][] = [];
  let inBlock = false;
  for (const line of text.split('\n')) {
    const code = /^ {4,}(?=\S)/.test(line) && !/^ {3}\S/.test(line);
    if (code && !inBlock) blocks.push([]);
    if (code) blocks.at(-1)?.push(line.trim());
    inBlock = code;
  }
  return blocks.map((lines) => lines.join('\n'));
}
