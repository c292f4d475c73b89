import { parseArgs } from 'node:util';
import { COMMANDS, type Command } from './contract.ts';
import { VARIABLES, type Variable, type VariableName } from './variables.ts';

/** Read from the environment only, and never printed. */
export const SECRETS: ReadonlySet<string> = new Set(
  VARIABLES.filter((variable) => 'secret' in variable).map((variable) => variable.name),
);

const SWITCHES: ReadonlySet<string> = new Set(
  VARIABLES.filter((variable) => 'switch' in variable).map((variable) => variable.name),
);
/** Commands that take the id of a backup as their argument. */
const READS_ONE_BACKUP: ReadonlySet<Command> = new Set<Command>(['restore', 'verify']);

export function flagOf({ name, flag }: Variable): string {
  return flag ?? name.toLowerCase().replaceAll('_', '-');
}

/** The command line as given, before validation. */
export type Arguments = {
  command: Command;
  values: Partial<Record<VariableName, string>>;
  asked: 'help' | 'version' | undefined;
  mistakes: string[];
};

/** Reads argv. `mistakes` holds one line for each error. Pure. */
export function readArguments(argv: readonly string[]): Arguments {
  const mistakes: string[] = [];
  const values: Partial<Record<VariableName, string>> = {};
  const byFlag = new Map<string, VariableName>(
    VARIABLES.map((variable) => [flagOf(variable), variable.name]),
  );
  let command: Command = 'backup';
  let asked: Arguments['asked'];

  const options = Object.fromEntries(
    VARIABLES.map((variable) => [
      flagOf(variable),
      { type: SWITCHES.has(variable.name) ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...argv],
    options: {
      ...options,
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'V' },
    },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  let positionals = 0;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      const found = COMMANDS.find((name) => name === token.value);
      if (found !== undefined && positionals === 0) command = found;
      else if (READS_ONE_BACKUP.has(command) && positionals === 1) values.BACKUP_ID = token.value;
      else
        mistakes.push(
          `${JSON.stringify(token.value)}: unknown command or argument; ` +
            `commands are ${COMMANDS.join(', ')}`,
        );
      positionals += 1;
    } else if (token.kind === 'option') {
      if (token.name === 'help' || token.name === 'h') asked = 'help';
      else if (token.name === 'version' || token.name === 'V') asked ??= 'version';
      else {
        const name = byFlag.get(token.name);
        if (name === undefined)
          mistakes.push(`${token.rawName}: unknown option; --help lists them`);
        else if (SECRETS.has(name)) {
          mistakes.push(
            `${token.rawName}: set ${name} in the environment instead; a flag would show in ps`,
          );
        } else if (SWITCHES.has(name)) values[name] = token.value ?? 'true';
        else if (token.value === undefined) mistakes.push(`${token.rawName}: needs a value`);
        else values[name] = token.value;
      }
    }
  }
  return { command, values, asked, mistakes };
}
