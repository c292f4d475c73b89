import { z } from 'zod';
import { readInvocation } from '../app/config.ts';
import { Failure } from '../app/errors.ts';
import { bucketSchema, mistakesInBucket } from './config-bucket.ts';
import { imageSchema, mistakesInImage } from './config-image.ts';
import { networkSchema } from './config-network.ts';
import { prefix, type SourceSettings, sourceSchema } from './config-source.ts';
import { longestGapHours } from './cron.ts';
import { environmentOf } from './environment.ts';
import { folderOf, idOf } from './names.ts';
import { mistakesInSizes } from './sizes.ts';

/** The one key of cdk.json's context that is ours. */
export const CONTEXT_KEY = 'mydumper-fargate';
/**
 * Replaces the account where neither credentials nor the configuration name one, so that synth
 * works offline.
 */
export const EXAMPLE_ACCOUNT = '111122223333';
const EXAMPLE_REGION = 'eu-central-1';

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutRetentionPolicy.html */
export const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
] as const;

/** A source with all that can be configured takes 15 resources, and what they share 30. */
export const MOST_SOURCES = 30;

export const settingsSchema = z.strictObject({
  stackName: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,31}$/, {
      error: 'must be up to 32 letters, digits and hyphens, beginning with a letter',
    })
    .default('MydumperFargate'),
  account: z
    .string()
    .regex(/^\d{12}$/, { error: 'must be an account id of 12 digits' })
    .optional(),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'must be a region such as eu-central-1' })
    .optional(),
  prefix: prefix.default(''),
  metricsNamespace: z
    .string()
    .regex(/^[A-Za-z0-9.\-_/#]{1,255}$/, { error: 'must be letters, digits and . - _ / #' })
    .refine((name) => !name.startsWith('AWS/'), {
      error: 'must not begin with AWS/, which is reserved',
    })
    .default('MydumperFargate'),
  logRetentionDays: z
    .number()
    .refine((days) => (LOG_RETENTION_DAYS as readonly number[]).includes(days), {
      error: `must be one of ${LOG_RETENTION_DAYS.join(', ')}`,
    })
    .default(90),
  alarmEmail: z.email({ error: 'must be an e-mail address' }).optional(),
  runbookUrl: z.url({ error: 'must be a URL' }).default('docs/runbook.md'),
  bucket: bucketSchema,
  network: networkSchema,
  image: imageSchema,
  sources: z
    .array(sourceSchema)
    .min(1, { error: 'must name at least one source' })
    .max(MOST_SOURCES, {
      error:
        `must be ${MOST_SOURCES} or fewer, as CloudFormation takes 500 resources in a stack; ` +
        'deploy the others under another stackName',
    }),
});

export type StackSettings = Omit<Readonly<z.infer<typeof settingsSchema>>, 'prefix' | 'sources'> & {
  readonly sources: readonly SourceSettings[];
  readonly account: string;
  readonly region: string;
};

/**
 * A configuration that cannot be deployed. Each mistake has a line of its own and names its place.
 */
export class InfraConfigurationError extends Error {
  readonly mistakes: readonly string[];
  constructor(mistakes: readonly string[]) {
    super(`cdk.json, context "${CONTEXT_KEY}":\n${mistakes.map((line) => `  ${line}`).join('\n')}`);
    this.name = 'InfraConfigurationError';
    this.mistakes = mistakes;
  }
}

/**
 * Reads and checks the context's value. Account and region fall back to those of the credentials
 * (which the CDK CLI passes on), then to an example, with which synth works but not deploy.
 * @throws InfraConfigurationError with all mistakes at once.
 */
export function readSettings(value: unknown, env: NodeJS.ProcessEnv = process.env): StackSettings {
  if (value === undefined)
    throw new InfraConfigurationError(['is missing; docs/deploy.md describes it']);
  const parsed = settingsSchema.safeParse(value);
  if (!parsed.success) throw new InfraConfigurationError(parsed.error.issues.map(issueText));
  const settings = {
    ...parsed.data,
    sources: parsed.data.sources.map((source) => ({
      ...source,
      prefix: source.prefix ?? parsed.data.prefix,
    })),
    account: parsed.data.account ?? (env.CDK_DEFAULT_ACCOUNT || EXAMPLE_ACCOUNT),
    region: parsed.data.region ?? (env.CDK_DEFAULT_REGION || EXAMPLE_REGION),
  };
  const mistakes = [
    ...(settings.network.kind === 'lookup' && parsed.data.account === undefined
      ? ['account: is needed to look a VPC up; name it, or give the VPC by attributes']
      : []),
    ...mistakesInBucket(settings.bucket, settings.sources),
    ...mistakesInImage(settings.image, settings.sources),
    ...settings.sources.flatMap((source, index) => mistakesInSource(settings, source, index)),
  ];
  if (mistakes.length > 0) throw new InfraConfigurationError(mistakes);
  return settings;
}

function issueText({ path, message, code }: z.core.$ZodIssue): string {
  const place = path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
  const isMissing = code === 'invalid_type' && message.includes('received undefined');
  return `${place === '' ? '' : `${place}: `}${isMissing ? 'is required' : message}`;
}

function mistakesInSource(
  settings: StackSettings,
  source: SourceSettings,
  index: number,
): string[] {
  const place = `sources[${index}]`;
  const mistakes = mistakesInName(settings, source, index).map((line) => `${place}.${line}`);
  mistakes.push(...mistakesInSizes(source).map((line) => `${place}.${line}`));
  mistakes.push(...mistakesInSchedule(source).map((line) => `${place}.schedule.${line}`));
  // The program itself checks the variables of the task, so that a wrong value fails here and not
  // in tonight's task.
  if (mistakes.length === 0) {
    try {
      readInvocation([], {
        ...environmentOf(settings, source, {
          bucketName: 'checked-elsewhere',
          kmsKeyArn: undefined,
        }),
        TLS_CA: process.execPath,
      });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      mistakes.push(
        `${place}: the program would refuse it: ${error.message.replaceAll('\n', '; ')}`,
      );
    }
  }
  return mistakes;
}

/**
 * Finds names that differ only in characters that outputs cannot hold. Finds folders within each
 * other, where the rules of one would reach into the other.
 */
function mistakesInName(
  { sources }: StackSettings,
  source: SourceSettings,
  index: number,
): string[] {
  const folder = folderOf(source);
  for (const [twin, other] of sources.slice(0, index).entries()) {
    if (other.name === source.name)
      return [`name: "${source.name}" is the name of sources[${twin}] too`];
    if (idOf(other.name) === idOf(source.name))
      return [`name: "${source.name}" is too much like "${other.name}" of sources[${twin}]`];
    if (folder.startsWith(folderOf(other)) || folderOf(other).startsWith(folder))
      return [
        `prefix: its backups would be in ${folder} and those of sources[${twin}] in ` +
          `${folderOf(other)}, one within the other`,
      ];
  }
  return [];
}

function mistakesInSchedule({ schedule }: SourceSettings): string[] {
  try {
    longestGapHours(schedule.expression);
    return [];
  } catch (error) {
    return [`expression: ${error instanceof Error ? error.message : String(error)}`];
  }
}
