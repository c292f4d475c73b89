import { flagOf } from './command-line.ts';
import { EXIT_MEANINGS } from './contract.ts';
import { VARIABLES } from './variables.ts';

const WIDTH = 100;

const COMMAND_TEXTS: readonly (readonly [string, string])[] = [
  ['backup', 'dump the server with mydumper and ship it to S3 while it is written (the default)'],
  [
    'restore',
    'load a backup of SOURCE into the server at HOST; ' +
      'run again, it resumes where it was interrupted',
  ],
  ['verify', 'check a backup in S3 against its manifest; --full reads and compares all content'],
  ['list', 'list the backups in the bucket: of SOURCE, or of all sources where it is not set'],
];

/** The text of `--help`: commands, every variable with its flag and default, exit codes. */
export function helpText(): string {
  const lines = [
    'mydumper-fargate: MySQL and MariaDB backups to S3 through a staging directory ' +
      'far smaller than the database',
    '',
    'Usage: node app/main.ts [backup|list] [--option value ...]',
    '       node app/main.ts restore|verify [id|latest] [--option value ...]',
    '       node app/main.ts --help | --version',
    '',
    'Commands:',
    ...COMMAND_TEXTS.flatMap(([name, text]) => entry(name, text)),
    '',
    'Every option is an environment variable; the flag of the same name goes before it. ' +
      'Only BUCKET is required.',
    'Credentials and the endpoint come from the AWS SDK: ' +
      'a task role, AWS_PROFILE, AWS_ENDPOINT_URL_S3 and the like.',
    '',
    'Variables:',
    ...VARIABLES.flatMap((variable) => {
      const flag = 'secret' in variable ? 'no flag' : `--${flagOf(variable)}`;
      return entry(variable.name, `${variable.meaning} [${flag}; default: ${variable.default}]`);
    }),
    '',
    'Exit codes:',
    ...EXIT_MEANINGS.flatMap(([code, meaning]) => entry(String(code), meaning)),
    '',
    'Example:',
    '  BUCKET=my-backups HOST=db.internal USERNAME=backup PASSWORD=... ' +
      'STAGING_LIMIT_MB=2048 CHUNK_FILE_SIZE_MB=64 \\',
    '    node app/main.ts backup',
    '  BUCKET=my-backups SOURCE=db.internal HOST=new-db.internal USERNAME=admin PASSWORD=... \\',
    '    node app/main.ts restore latest --databases shop --as shop_copy --check',
  ];
  return `${lines.join('\n')}\n`;
}

function entry(name: string, text: string): string[] {
  const indent = 28;
  const lines: string[] = [];
  let line = `  ${name}`.padEnd(indent);
  for (const word of text.split(' ')) {
    if (line.trimEnd().length + word.length + 1 > WIDTH && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = ' '.repeat(indent);
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
