import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { CONTEXT_KEY, InfraConfigurationError, readSettings } from './config.ts';
import { BackupStack } from './stack.ts';

/**
 * The entry of `cdk`. It makes a stack from the context in cdk.json, and cdk-nag checks the stack
 * before a deployment.
 */
function main(): void {
  const app = new App();
  new BackupStack(app, readSettings(app.node.tryGetContext(CONTEXT_KEY)));
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
}

try {
  main();
} catch (error) {
  if (!(error instanceof InfraConfigurationError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
