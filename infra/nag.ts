import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Lets one finding of cdk-nag pass on one resource. The reason must be the actual one. */
export function acknowledge(
  resource: IConstruct,
  id: `AwsSolutions-${string}`,
  reason: string,
): void {
  Validations.of(resource).acknowledge({ id, reason });
}

/**
 * Lets a policy name a resource with this wildcard and no other. `wildcard` has the form that
 * cdk-nag writes.
 */
export function acknowledgeWildcard(resource: IConstruct, wildcard: string, reason: string): void {
  acknowledge(
    resource,
    `AwsSolutions-IAM5[Resource::${flat(Stack.of(resource).resolve(wildcard))}]`,
    reason,
  );
}

/**
 * References of CloudFormation in the form that cdk-nag writes in its findings:
 * `<Bucket.Arn>/folder/*`.
 */
function flat(node: unknown): string {
  if (typeof node !== 'object' || node === null) return String(node);
  const [[name, value] = ['', undefined]] = Object.entries(node);
  if (name === 'Fn::Join' && Array.isArray(value))
    return (value[1] as unknown[]).map(flat).join(String(value[0]));
  if (name === 'Fn::GetAtt' && Array.isArray(value)) return `<${value.join('.')}>`;
  if (name === 'Ref') return `<${String(value)}>`;
  throw new Error(`no way to write ${JSON.stringify(node)}`);
}
