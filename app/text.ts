const SHOWN_NAMES = 3;

/** Lists names for a message, quoted: the first few, and how many more there are. */
export function listNames(names: readonly string[]): string {
  return listSome(
    names.map((name) => JSON.stringify(name)),
    SHOWN_NAMES,
  );
}

/** The first few of these with commas between, and how many more there are. */
export function listSome(items: readonly string[], most: number): string {
  const shown = items.slice(0, most).join(', ');
  return items.length > most ? `${shown} ${countOfRest(items, most)}` : shown;
}

/** The first few lines or clauses, and a last one that says how many more there are. */
export function firstFew(items: readonly string[], most: number): readonly string[] {
  return items.length > most ? [...items.slice(0, most), countOfRest(items, most)] : items;
}

function countOfRest(items: readonly string[], most: number): string {
  return `and ${items.length - most} more`;
}
