import { randomUUID } from 'node:crypto';
import { type Builder, ROOT } from './builder.ts';
import { run } from './commands.ts';
import { follow } from './running.ts';

type Inspected = {
  readonly Config: {
    readonly User: string;
    readonly Entrypoint: string[];
    readonly Cmd: string[];
    readonly Volumes: Record<string, unknown>;
    readonly Labels: Record<string, string>;
  };
};

export function openDocker(): Builder {
  const tag = `mydumper-fargate-test:${randomUUID()}`;
  return {
    name: 'docker',
    build: async (buildArguments) => {
      const args = Object.entries(buildArguments).flatMap(([name, value]) => [
        '--build-arg',
        `${name}=${value}`,
      ]);
      await run(['docker', 'build', '--quiet', '--tag', tag, ...args, ROOT], {
        env: { ...process.env, DOCKER_BUILDKIT: '1' },
      });
    },
    config: async () => {
      const [{ Config }] = JSON.parse(await run(['docker', 'image', 'inspect', tag])) as [
        Inspected,
      ];
      return {
        user: Config.User,
        entrypoint: Config.Entrypoint,
        command: Config.Cmd,
        volumes: Object.keys(Config.Volumes),
        labels: Config.Labels,
      };
    },
    start: async ({ environment, command = [], entrypoint, stagingMiB }) => {
      const name = `mydumper-fargate-test-${randomUUID()}`;
      const [program, ...rest] = entrypoint ?? [];
      return follow(
        [
          ...[
            'docker',
            'run',
            '--rm',
            '--name',
            name,
            '--network',
            'host',
            '--read-only',
            '--cap-drop',
            'ALL',
            '--security-opt',
            'no-new-privileges',
          ],
          ...['--tmpfs', `/staging:size=${stagingMiB}m,uid=10001,gid=10001,mode=0700`],
          ...Object.keys(environment).flatMap((variable) => ['--env', variable]),
          ...(program === undefined ? [] : ['--entrypoint', program]),
          ...[tag, ...rest, ...command],
        ],
        { ...process.env, ...environment },
        (_child, signal) => void run(['docker', 'kill', '--signal', signal, name]),
      );
    },
    remove: async () => void (await run(['docker', 'image', 'rm', '--force', tag])),
  };
}
