import { expect, test } from 'vitest';
import { z } from 'zod';
import { flagOf } from '../../app/command-line.ts';
import { readInvocation } from '../../app/config.ts';
import { variablesSchema } from '../../app/config-fields.ts';
import { COMMANDS, EXIT, EXIT_MEANINGS } from '../../app/contract.ts';
import { exitCodeOf, Failure, type FailureKind } from '../../app/errors.ts';
import { SDK_VARIABLES, VARIABLES } from '../../app/variables.ts';
import { runProgram } from '../support/program.ts';

// A contract: task definitions, scripts and alarms depend on these names, values and codes. Change
// one on purpose only, together with README.md, the runbook and the changelog.
//
// test/docs.test.ts compares README.md with the same tables. test/e2e and test/faults show which
// run ends with which code. test/mydumper shows which flags of mydumper are refused.

test('--help prints this text to standard output and exits with 0', async () => {
  const { code, signal, stdout, stderr } = await runProgram({}, ['--help']);
  expect({ code, signal, stderr }).toEqual({ code: EXIT.done, signal: null, stderr: '' });
  await expect(stdout).toMatchFileSnapshot('__snapshots__/help.txt');
});

test('--version prints the name and the version', async () => {
  const { code, stdout, stderr } = await runProgram({}, ['--version']);
  expect({ code, stderr }).toEqual({ code: EXIT.done, stderr: '' });
  expect(stdout).toMatch(/^mydumper-fargate \d+\.\d+\.\d+\n$/);
});

test('commands and environment variables, each with its flag and its documented default', () => {
  const variables = VARIABLES.map((variable) => {
    const flag = 'secret' in variable ? 'no flag' : `--${flagOf(variable)}`;
    const value = 'switch' in variable ? 'switch' : 'value';
    return `${variable.name} | ${flag} | ${value} | ${variable.default}`;
  });
  expect({ commands: COMMANDS, variables, sdk: SDK_VARIABLES }).toMatchSnapshot();
});

test('defaults when only BUCKET is set', () => {
  const invocation = readInvocation([], { BUCKET: 'backups', PATH: '/bin' });
  if (invocation.kind !== 'run') throw new Error(`not a run but ${invocation.kind}`);
  const { staging, ...config } = invocation.config;
  const directory = staging.directory.replace(process.cwd(), '<working directory>');
  expect({ ...config, staging: { ...staging, directory } }).toMatchSnapshot();
});

test('values that each variable accepts: patterns and choices', () => {
  const { properties } = z.toJSONSchema(variablesSchema, { io: 'input', unrepresentable: 'any' });
  expect(properties).toMatchSnapshot();
});

test('message of each variable for a value it refuses', () => {
  const wrong = Object.fromEntries(VARIABLES.map(({ name }) => [name, '\n']));
  let lines: readonly string[] = [];
  try {
    readInvocation([], { ...wrong, MYDUMPER_ARGS: "'" });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    lines = error.lines;
  }
  expect(lines).toMatchSnapshot();
});

test('every exit code with its meaning, and the kind of failure that ends with it', () => {
  const kinds: Readonly<Record<FailureKind, FailureKind>> = {
    configuration: 'configuration',
    preflight: 'preflight',
    dump: 'dump',
    upload: 'upload',
    staging: 'staging',
    verification: 'verification',
    restore: 'restore',
    interrupted: 'interrupted',
  };
  const ofKinds = Object.fromEntries(
    Object.values(kinds)
      .filter((kind) => kind !== 'interrupted')
      .map((kind) => [kind, exitCodeOf(new Failure(kind, 'x'))]),
  );
  const ofSignals = Object.fromEntries(
    (['SIGINT', 'SIGTERM'] as const).map((signal) => [
      `interrupted by ${signal}`,
      exitCodeOf(new Failure('interrupted', 'x', { signal })),
    ]),
  );
  const ofDefects = { 'an error that is no Failure': exitCodeOf(new TypeError('x')) };
  expect({
    EXIT,
    meanings: EXIT_MEANINGS.map(([code, meaning]) => `${code} ${meaning}`),
    failures: { ...ofKinds, ...ofSignals, ...ofDefects },
  }).toMatchSnapshot();
});
