import { Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { expect, test, vi } from 'vitest';
import { EXISTING, FULL, SMALL, sampleContext, synthesiseUnderNag } from './samples.ts';

const CONFIGURATIONS = {
  'of the repository': sampleContext(),
  'with everything': FULL,
  'with what exists': EXISTING,
};

test.each(Object.entries(CONFIGURATIONS))(
  'cdk-nag has no findings in configuration %s; each exception is for one resource',
  (_name, context) => {
    const stack = synthesiseUnderNag(context);
    const answers = stack.node
      .findAll()
      .flatMap((construct) =>
        construct.node.metadata
          .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
          .map(({ data }) => ({ path: construct.node.path, data: JSON.stringify(data) })),
      );
    expect(answers.length).toBeGreaterThan(0);
    for (const { path, data } of answers) {
      expect(path.split('/').length, `${path} is a resource, not the stack`).toBeGreaterThan(2);
      // The id, and a sentence.
      expect(data).toMatch(/AwsSolutions-[A-Z]+\d+.*\w+ \w+ \w+ \w+ \w+/);
      expect(data, `${path}: a wildcard is answered for by its name`).not.toMatch(/IAM5(?!\[)/);
    }
  },
);

test('cdk-nag is really asked', () => {
  vi.spyOn(console, 'error').mockReturnValue();
  expect(() => synthesiseUnderNag(SMALL, (stack) => void new Bucket(stack, 'Open'))).toThrow(
    /AwsSolutions-S10/,
  );
  vi.restoreAllMocks();
});
