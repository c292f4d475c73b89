import { expect, test } from 'vitest';
import { MOST_SOURCES } from '../../infra/config.ts';
import {
  type Context,
  EXISTING,
  FULL,
  SMALL,
  sampleContext,
  synthesise,
  type TemplateJson,
} from './samples.ts';

const full = synthesise(FULL);
const [wholeSource] = FULL.sources as [Context];

/** An output's value with references written as the names of what they refer to. */
function text(value: unknown): string {
  if (typeof value === 'string') return value;
  const {
    'Fn::Join': join,
    Ref: ref,
    'Fn::GetAtt': attribute,
  } = value as { 'Fn::Join'?: [string, unknown[]]; Ref?: string; 'Fn::GetAtt'?: string[] };
  if (join !== undefined) return join[1].map(text).join(join[0]);
  return `<${ref ?? attribute?.join('.')}>`;
}
const output = (name: string) => text(full.json.Outputs[name]?.Value);

test('the outputs are commands ready to be pasted', () => {
  const start = new RegExp(
    String.raw`^aws ecs run-task --region eu-central-1 --cluster <Cluster\w+> ` +
      String.raw`--task-definition (\S+) --launch-type FARGATE --platform-version 1\.4\.0 ` +
      String.raw`--network-configuration 'awsvpcConfiguration=\{subnets=\[<\w+>,<\w+>\],` +
      String.raw`securityGroups=\[<NetworkSecurityGroup\w+\.GroupId>\],` +
      String.raw`assignPublicIp=DISABLED\}' ` +
      "--overrides '(.*)'$",
  );
  const commands = ['BackupShop', 'VerifyShop', 'RestoreShop', 'BackupCrm2'].map((name) => {
    const [, family, overrides = ''] = start.exec(output(name)) ?? [];
    return [family, JSON.parse(overrides)];
  });
  const words = (...command: string[]) => ({
    containerOverrides: [{ name: 'mydumper-fargate', command }],
  });
  expect(commands).toEqual([
    ['Fleet-shop', words('backup')],
    ['Fleet-shop-restore', words('verify', 'latest')],
    ['Fleet-shop-restore', words('restore', 'latest')],
    ['Fleet-crm-2', words('backup')],
  ]);
});

test('and where to look', () => {
  expect(output('Bucket')).toMatch(/^<StorageBucket/);
  expect(output('DashboardUrl')).toBe(
    'https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1' +
      '#dashboards/dashboard/Fleet',
  );
  expect(output('LogGroup')).toMatch(/^<Log/);
  expect(output('StoppedTasksLogGroup')).toMatch(/^<TaskEventsLog/);
});

test('a stack takes as many sources as its configuration may name, each with everything', () => {
  const sources = Array.from({ length: MOST_SOURCES }, (_, index) => ({
    ...wholeSource,
    name: `source-${index}`,
    securityGroupId: `sg-0123456789abcd0${10 + index}`,
    restore: {
      host: 'copy',
      secret: 'copy/admin',
      securityGroupId: `sg-0123456789abcd1${10 + index}`,
    },
  }));
  const { json } = synthesise({ ...FULL, sources });
  expect(Object.keys(json.Resources).length).toBeLessThanOrEqual(500);
  expect(Object.keys(json.Outputs).length).toBeLessThanOrEqual(200);
  expect(JSON.stringify(json).length).toBeLessThan(1_000_000);
});

// A contract: a logical id that changes replaces the resource in deployed stacks.
// Change a template on purpose only, together with docs/deploy.md and the changelog.

/** The template without the image's fingerprint, which changes with every file in the image. */
function templateOf(context: Context): TemplateJson {
  const text = JSON.stringify(synthesise(context).json);
  return JSON.parse(text.replace(/(container-assets-[\w-]+:)[0-9a-f]{64}/g, '$1<fingerprint>'));
}

/** Returns each resource's logical id with its type and the names in its properties. */
function namesOf({ Resources }: TemplateJson): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Resources).map(([id, { Type, Properties = {} }]) => {
      const names = Object.entries(Properties).filter(([key]) => /^(?:\w*Name|Family)$/.test(key));
      const shown = names.map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
      return [id, `${Type}${shown.join('')}`];
    }),
  );
}

test('the whole template of the smallest configuration', () => {
  expect(templateOf(SMALL)).toMatchSnapshot();
});

test('the whole template of the example in cdk.json', () => {
  expect(templateOf(sampleContext())).toMatchSnapshot();
});

test.each([
  ['everything chosen', FULL],
  ['an existing bucket and network', EXISTING],
])('logical ids, names and outputs with %s', (_title, context) => {
  const template = templateOf(context);
  const outputs = Object.fromEntries(
    Object.entries(template.Outputs).map(([name, { Value }]) => [name, text(Value)]),
  );
  expect({ resources: namesOf(template), outputs }).toMatchSnapshot();
});
