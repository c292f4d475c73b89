import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Lets one finding of cdk-nag pass on one resource. The reason must be the actual one. */
export function acknowledge(resource: IConstruct, id: `AwsSolutions-${string}`, reason: string): void {
  Validations.of(resource).acknowledge({ id, reason });
}
