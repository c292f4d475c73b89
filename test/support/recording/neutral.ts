import type { RecordedStep, Recording } from './recording.ts';

/** The surroundings of a run, which differ each time. */
export type Surroundings = {
  readonly outputDirectory: string;
  readonly optionFile: string;
  readonly password: string;
  /** The server's own address, and the address in the tool's options. */
  readonly ports: readonly number[];
};

const CLOCK = '08:00:00.000';
const MOMENT = '2026-01-01 08:00:00';
const SERVER_UUID = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

/**
 * Paths, ports and the password become placeholders in braces. Times, ids and positions become
 * fixed values.
 */
export function neutralText(text: string, surroundings: Surroundings): string {
  const { outputDirectory, optionFile, password, ports } = surroundings;
  const texts: (readonly [string, string])[] = [
    [optionFile, '{optionfile}'],
    [outputDirectory, '{outputdir}'],
    ...(password === '' ? [] : [[password, '{password}'] as const]),
  ];
  let neutral = text;
  for (const [from, to] of texts) neutral = neutral.replaceAll(from, to);
  for (const port of ports) neutral = neutral.replace(new RegExp(`\\b${port}\\b`, 'g'), '{port}');
  return neutral
    .replace(/^(\*\* Message: )\d\d:\d\d:\d\d\.\d{3}/, `$1${CLOCK}`)
    .replace(/^(\*\* \(\w+:)\d+(\): \w+ \*\*: )\d\d:\d\d:\d\d\.\d{3}/, `$11$2${CLOCK}`)
    .replace(/\/tmp\/\.[A-Z0-9]{6}\b/g, '{temporary}')
    .replace(/((?:Started|Finished) dump at: )\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, `$1${MOMENT}`)
    .replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(: Ctrl\+c)/, `${MOMENT}$1`)
    .replace(/((?:MySQL )?connection (?:ID )?)\d+/, '$11')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, SERVER_UUID)
    .replace(/^(# ?(?:executed_gtid_set) = "(?:[\da-f-]{36}:)?)[^"]*"/i, (_whole, start: string) =>
      start.includes(SERVER_UUID) ? `${start}1-100"` : `${start}0-7-100"`,
    )
    .replace(/(SOURCE_LOG_POS = )\d+/, '$14711')
    .replace(/(SOURCE_LOG_FILE = "[^"]*\.)\d+"/, '$1000001"');
}

/** A warning with its empty line, or two lines. */
const LONGEST_REFRAIN = 2;
const FEWEST_REPEATS = 5;

/** Keeps repeated lines once: a crash by recursion repeats a warning thousands of times. */
export function withoutRepeats(steps: readonly RecordedStep[]): RecordedStep[] {
  const texts = steps.map((step) => JSON.stringify(step));
  const kept: RecordedStep[] = [];
  for (let at = 0; at < steps.length; ) {
    let skipped = 0;
    for (let lines = 1; lines <= LONGEST_REFRAIN && skipped === 0; lines += 1) {
      let times = 0;
      const isRepeated = () =>
        texts
          .slice(at, at + lines)
          .every((text, index) => text === texts[at + (times + 1) * lines + index]);
      while (at + (times + 2) * lines <= steps.length && isRepeated()) times += 1;
      if (times < FEWEST_REPEATS) continue;
      kept.push(...steps.slice(at, at + lines), { again: { lines, times } });
      skipped = lines * (times + 1);
    }
    const [step] = steps.slice(at, at + 1);
    if (skipped === 0 && step !== undefined) kept.push(step);
    at += Math.max(1, skipped);
  }
  return kept;
}

/** The same with placeholders for everything that differs each time. */
export function neutralRecording(recording: Recording, surroundings: Surroundings): Recording {
  const text = (line: string) => neutralText(line, surroundings);
  const step = (each: RecordedStep): RecordedStep => {
    if ('stdout' in each) return { stdout: text(each.stdout) };
    return 'stderr' in each ? { stderr: text(each.stderr) } : each;
  };
  const files = Object.entries(recording.files).map(([name, { lines, ...file }]) => [
    name,
    lines === undefined ? file : { lines: lines.map(text), ...file },
  ]);
  return {
    ...recording,
    argv: recording.argv.map(text),
    optionFile: recording.optionFile.map((line) =>
      text(line).replace(/^password=.*/, 'password={password}'),
    ),
    steps: withoutRepeats(recording.steps.map(step)),
    files: Object.fromEntries(files),
  };
}

/**
 * The part of a recording that is the same each time, as text. Threads share the work in any order,
 * so lines and files are sorted. Numbers of threads, guessed numbers of rows and shares of progress
 * are left out.
 */
export function substance(recording: Recording): string {
  const { steps, files, ...rest } = recording;
  const line = (step: RecordedStep) =>
    JSON.stringify(step)
      .replace(/Thread \d+/, 'Thread N')
      .replace(/\[ \d+% \] \| Tables: \d+\/\d+/, '[ n% ] | Tables: n/n')
      .replace(/has ~\d+ rows/, 'has ~n rows')
      .replace(/Queue count: [\d ]+/, 'Queue count:')
      .replace(/"times":\d+/, '"times":n');
  return JSON.stringify([rest, steps.map(line).toSorted(), Object.entries(files).toSorted()]);
}
