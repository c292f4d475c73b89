import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { type Generation, parseVersion } from '../../app/mydumper/version.ts';

type Tool = 'mydumper' | 'myloader';

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Every `tool` on the PATH, with the output of its `--version`. */
function installed(
  tool: Tool,
): { path: string; generation: Generation | undefined; said: string }[] {
  const directories = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => isAbsolute(directory));
  return directories
    .map((directory) => join(directory, tool))
    .filter(isExecutable)
    .map((path) => {
      const said = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
      // Both tools of a build print the same version; the program itself drives mydumper only.
      const { generation } = parseVersion(said.replace(/^myloader/, 'mydumper')) ?? {};
      return { path, generation, said };
    });
}

const found = new Map<Tool, ReturnType<typeof installed>>();

function toolsOf(tool: Tool): ReturnType<typeof installed> {
  const known = found.get(tool) ?? installed(tool);
  found.set(tool, known);
  return known;
}

/** The generation of the tool that the program or the tests start: the first on the PATH. */
export function generationOf(tool: Tool = 'mydumper'): Generation {
  const [first] = toolsOf(tool);
  if (first?.generation === undefined)
    throw new Error(`no ${tool} on the PATH that this program drives`);
  return first.generation;
}

/**
 * Debian's 0.10: the first one on the PATH, also behind other versions. For tests that describe
 * 0.10 alone and name it in their titles.
 *
 * @throws Error when none is installed. Such a test fails and is not skipped.
 */
export function classicTool(tool: Tool): string {
  const path = toolsOf(tool).find(({ generation }) => generation === 'classic')?.path;
  if (path === undefined)
    throw new Error(
      `${tool} 0.10 is not on the PATH; there are ${toolsOf(tool)
        .map(({ said }) => said)
        .join('; ')}`,
    );
  return path;
}

/** Environment that makes the program start mydumper 0.10. */
export function classicEnvironment(): Record<string, string> {
  return { MYDUMPER_BIN: classicTool('mydumper') };
}
