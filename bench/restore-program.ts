import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { AS_IN_THE_IMAGE } from './alternatives.ts';

/** Runs `restore` of the program in that directory. @throws Error with its log. */
export async function execProgram(
  root: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const program = spawn(
    process.execPath,
    [...AS_IN_THE_IMAGE, join(root, 'app/main.ts'), 'restore'],
    {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let log = '';
  program.stdout.on('data', (text) => {
    log += text;
  });
  const [code] = await once(program, 'exit');
  if (code !== 0) throw new Error(log);
}
