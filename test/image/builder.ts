import { fileURLToPath } from 'node:url';
import { openBuildah } from './buildah.ts';
import { works } from './commands.ts';
import { openDocker } from './docker.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export type Container = {
  /** What the program is started with; nothing of ours leaks in. */
  readonly environment: Readonly<Record<string, string>>;
  /** Instead of the image's own command. */
  readonly command?: readonly string[];
  /** Instead of the image's own entrypoint. */
  readonly entrypoint?: readonly string[];
  /** Size of the file system at /staging, in MiB. */
  readonly stagingMiB: number;
};

export type Running = {
  /** To the container's first process, as ECS does it. */
  readonly signal: (name: 'SIGTERM') => void;
  readonly printed: (text: string) => Promise<void>;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
};

export type ImageConfig = {
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
};

/**
 * Builds the Dockerfile and runs the image: no privileges, read-only root, staging in memory, the
 * host's network.
 */
export type Builder = {
  readonly name: string;
  readonly build: (buildArguments: Readonly<Record<string, string>>) => Promise<void>;
  readonly config: () => Promise<ImageConfig>;
  readonly start: (container: Container) => Promise<Running>;
  readonly remove: () => Promise<void>;
};

/**
 * Opens docker where its daemon answers, and otherwise buildah, which needs root and Debian's apt.
 * Without both it returns why neither works.
 */
export async function findBuilder(): Promise<Builder | string> {
  if (await works('docker', 'info')) return openDocker();
  if (process.getuid?.() !== 0) return 'no docker daemon answers, and buildah needs root';
  if (!(await works('apt-get', '--version')))
    return 'no docker daemon answers, and there is no apt-get to install buildah with';
  return openBuildah();
}
