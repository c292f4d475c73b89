import { spawn } from 'node:child_process';

/** A command that ended in failure, with the end of what it said. */
export class CommandError extends Error {
  constructor(command: readonly string[], code: number | null, output: string) {
    super(`${command.join(' ')} ended with ${code}:\n${output.slice(-4000)}`);
    this.name = 'CommandError';
  }
}

/** Runs a command to its end and gives its standard output. @throws CommandError */
export async function run(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new CommandError(command, code, output);
  return stdout;
}

/** Whether a command works here. */
export async function works(...command: readonly string[]): Promise<boolean> {
  return run(command).then(
    () => true,
    () => false,
  );
}

/** Installs Debian packages as root. @throws CommandError */
export async function aptInstall(...packages: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run(['apt-get', 'update', '-qq'], { env });
  await run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
}
