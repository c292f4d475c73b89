/** Any number of characters, also none. */
export const ANY = Symbol('any');
/** Exactly one character. */
export const ONE = Symbol('one');

/** One character, or one of the above. */
export type WildcardPart = string | typeof ANY | typeof ONE;

export type WildcardPattern = { readonly test: (text: string) => boolean };

/**
 * A pattern that matches the whole of a text, character by character. Pure. The time is at most
 * proportional to text times pattern. A regular expression would try all ways to split a text among
 * several `ANY`.
 */
export function wildcardPattern(parts: readonly WildcardPart[]): WildcardPattern {
  return { test: (text) => matches(parts, [...text]) };
}

/**
 * Backtracks only to the last `ANY`. An earlier one need not match more than the parts up to the
 * next `ANY` require.
 */
function matches(parts: readonly WildcardPart[], text: readonly string[]): boolean {
  let at = 0;
  let next = 0;
  let any: { readonly next: number; at: number } | undefined;
  while (at < text.length) {
    const part = parts[next];
    if (part === ANY) {
      next += 1;
      any = { next, at };
    } else if (part === ONE || part === text[at]) {
      at += 1;
      next += 1;
    } else if (any !== undefined) {
      any.at += 1;
      ({ at, next } = any);
    } else return false;
  }
  return parts.slice(next).every((part) => part === ANY);
}
