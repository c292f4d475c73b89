import { findLongOption, findShortOption } from './find-option.ts';
import { type Option, treatmentOf } from './options.ts';
import type { Generation } from './version.ts';

export type ExtraArguments = {
  /** One word for each option, `--long` or `--long=value`, regardless of the spelling given. */
  readonly words: readonly string[];
  /** Why words are refused, one message each; empty when all may pass. */
  readonly mistakes: readonly string[];
};

/**
 * Reads the words of MYDUMPER_ARGS as GLib does. Writes each option in one spelling, so that other
 * code need not know the rest. Passes an unknown option to mydumper as it is. Refuses a stray word:
 * mydumper 1.x would take it as a database and stream the dump to its output.
 */
export function readExtraArguments(words: readonly string[]): ExtraArguments {
  const read: string[] = [];
  const mistakes: string[] = [];
  const take = (option: Option, spelled: string, value: string | undefined) => {
    const treatment = treatmentOf(option, value);
    if (treatment.kind === 'refused') mistakes.push(`refuses ${spelled}: ${treatment.why}`);
    else if (option.value === 'always' && value === undefined)
      mistakes.push(`has no value for ${spelled}: write --${option.long}=value`);
    else read.push(value === undefined ? `--${option.long}` : `--${option.long}=${value}`);
  };
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    /** The next word, when the option takes it. A word that looks like an option is never taken. */
    const nextValue = ({ value }: Option): string | undefined => {
      const next = words[index + 1];
      if (value === 'never' || next === undefined || next.startsWith('-')) return undefined;
      index += 1;
      return next;
    };
    if (word === '--') mistakes.push('refuses --: no more options would be read after it');
    else if (word.startsWith('--')) {
      const [name = '', inline] = splitOnce(word.slice(2));
      const option = findLongOption(name);
      if (option === undefined) read.push(word);
      else take(option, `--${name}`, takenBy(option, inline ?? nextValue(option)));
    } else if (word.startsWith('-') && word.length > 1) {
      const options = [...word.slice(1)].map((letter) => ({
        letter,
        option: findShortOption(letter),
      }));
      const isKnown = options.every(({ option }) => option !== undefined);
      if (!isKnown) read.push(word);
      let hasValue = false;
      for (const { letter, option } of options) {
        if (option === undefined) continue;
        const value: string | undefined = hasValue || !isKnown ? undefined : nextValue(option);
        hasValue ||= value !== undefined;
        if (isKnown || option.treatment.kind === 'refused') take(option, `-${letter}`, value);
      }
    } else mistakes.push(`has a stray word ${JSON.stringify(word)}: write --option=value`);
  }
  return { words: read, mistakes };
}

/** GLib ignores a value that an option does not take: `--no-data=false` is `--no-data`. */
function takenBy({ value }: Option, given: string | undefined): string | undefined {
  return value === 'never' ? undefined : given;
}

function splitOnce(text: string): [name: string, value?: string] {
  const at = text.indexOf('=');
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * The flags that make the dump hold less than the databases, or hold them altered. Takes words from
 * {@link readExtraArguments}. Includes every unknown flag, since its effect is unknown too.
 */
export function narrowingFlags(words: readonly string[]): string[] {
  const narrowing = words.filter((word) => {
    const option = optionOf(word);
    return option === undefined || option.treatment.kind === 'narrows';
  });
  return [...new Set(narrowing)];
}

/** Whether flags make mydumper leave out existing objects, or all rows of a table. */
export function narrowsTheDump(words: readonly string[]): boolean {
  return words.some((word) => {
    const treatment = optionOf(word)?.treatment;
    return treatment?.kind === 'narrows' && treatment.objects;
  });
}

/** Warnings about side effects of a flag in this generation. */
export function surprisesOf(generation: Generation, words: readonly string[]): string[] {
  if (generation === 'classic') return [];
  const given = new Set(words.map((word) => optionOf(word)?.long));
  const surprises: string[] = [];
  if (given.has('rows'))
    surprises.push(
      'MYDUMPER_ARGS: with --rows mydumper 1.x splits tables, and loses rows without an error ' +
        'when a connection is lost between two chunks; leave it out',
    );
  if (given.has('ignore-engines'))
    surprises.push(
      'MYDUMPER_ARGS: with --ignore-engines mydumper 1.x leaves out every table and view that ' +
        'comes after the first table of such an engine in its database; ' +
        'name tables by --regex or --tables-list instead',
    );
  return surprises;
}

function optionOf(word: string): Option | undefined {
  return word.startsWith('--') ? findLongOption(splitOnce(word.slice(2))[0]) : undefined;
}

/**
 * Splits as a POSIX shell would, without expansions.
 * @returns undefined when a quote is not closed.
 */
export function splitShellWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else if (quote === '"' && character === '\\' && /["\\$`]/.test(text[index + 1] ?? '')) {
        index += 1;
        word += text[index] ?? '';
      } else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (character === '\\' && index + 1 < text.length) {
      index += 1;
      word = (word ?? '') + (text[index] ?? '');
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== undefined) return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
