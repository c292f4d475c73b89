import type { Config } from '../config.ts';
import { EXIT } from '../contract.ts';
import { exitCodeOf } from '../errors.ts';
import { reading } from './reading.ts';

/**
 * Runs a command that reads backups and returns the exit code. The command has reported its failure
 * by then. Each command loads only the modules that it needs.
 */
export async function runReading(config: Config, interruption: AbortSignal): Promise<number> {
  try {
    if (config.command === 'list') {
      const { list } = await import('./list.ts');
      await reading(config, 'preflight', interruption, list);
    } else if (config.command === 'verify') {
      const { verify } = await import('./verify.ts');
      await reading(config, 'verification', interruption, verify);
    } else {
      const { restore } = await import('./restore.ts');
      await reading(config, 'restore', interruption, restore);
    }
    return EXIT.done;
  } catch (error) {
    return exitCodeOf(error);
  }
}
