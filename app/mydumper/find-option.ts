import { OPTIONS, type Option } from './options.ts';

const BY_LONG = new Map(OPTIONS.map((option) => [option.long, option]));
const BY_SHORT = new Map(
  OPTIONS.flatMap((option) =>
    option.short === undefined ? [] : [[option.short, option] as const],
  ),
);

/** Groups of options in mydumper 1.x, each by the longest name it had. */
const GROUPS = [
  'connectiongroup',
  'filtergroup',
  'lockgroup',
  'pmmgroup',
  'execgroup',
  'query_runninggroup',
  'jobgroup',
  'chunksgroup',
  'checksumgroup',
  'objectsgroup',
  'statementgroup',
  'extragroup',
  'daemongroup',
  'main',
];

/**
 * The option that GLib reads for a long name. GLib also reads `--<beginning of a group's
 * name>-<option>` and `--help-<group>`. Finds a refused option after any beginning, as groups
 * change with versions.
 * https://docs.gtk.org/glib/commandline.html
 */
export function findLongOption(name: string): Option | undefined {
  const option = BY_LONG.get(name);
  const dash = name.indexOf('-');
  if (option !== undefined || dash < 1) return option;
  const group = name.slice(0, dash);
  if (group === 'help') return BY_LONG.get(group);
  const ofGroup = BY_LONG.get(name.slice(dash + 1));
  const isKnown = GROUPS.some((each) => each.startsWith(group));
  return isKnown || ofGroup?.treatment.kind === 'refused' ? ofGroup : undefined;
}

export function findShortOption(letter: string): Option | undefined {
  return BY_SHORT.get(letter);
}
