import type { Config } from '../config.ts';
import { EXIT } from '../contract.ts';
import { exitCodeOf } from '../errors.ts';
import { list } from './list.ts';
import { reading } from './reading.ts';
import { restore } from './restore.ts';
import { verify } from './verify.ts';

/** Runs a command that reads backups and returns the exit code. Its failure was told by then. */
export async function runReading(config: Config, interruption: AbortSignal): Promise<number> {
  try {
    if (config.command === 'list') await reading(config, 'preflight', interruption, list);
    else if (config.command === 'verify') await reading(config, 'verification', interruption, verify);
    else await reading(config, 'restore', interruption, restore);
    return EXIT.done;
  } catch (error) {
    return exitCodeOf(error);
  }
}
