import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

export function isSecretArn(value: string): boolean {
  return value.startsWith('arn:');
}

/**
 * ECS accepts only a whole ARN. It ends in a hyphen and six characters that Secrets Manager chose.
 */
export function isCompleteSecretArn(arn: string): boolean {
  const whole =
    /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+-[A-Za-z0-9]{6}$/;
  return whole.test(arn);
}

/**
 * A name that ends as if it were the suffix of an ARN.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
 */
export function looksLikeWholeArn(name: string): boolean {
  return /-[A-Za-z0-9]{6}$/.test(name);
}

/** An existing secret, by name or ARN. */
export function importSecret(scope: Construct, id: string, nameOrArn: string): ISecret {
  return isSecretArn(nameOrArn)
    ? Secret.fromSecretCompleteArn(scope, id, nameOrArn)
    : Secret.fromSecretNameV2(scope, id, nameOrArn);
}
