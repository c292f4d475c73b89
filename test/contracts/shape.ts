/**
 * Keeps the names in a JSON value and replaces each value by its type, so that a snapshot pins the
 * form and not the sample. An array becomes the distinct shapes of its elements.
 */
export function shapeOf(value: unknown): unknown {
  if (value === null) return 'null';
  if (Array.isArray(value)) {
    const shapes = value.map((element) => JSON.stringify(shapeOf(element)));
    return [...new Set(shapes)].map((shape) => JSON.parse(shape));
  }
  if (typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, shapeOf(held)]));
}

/** Keeps the values of a log line that filters compare, and replaces the rest by their types. */
export function lineShape(line: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { level, event, service, ...rest } = line;
  return { level, event, service, ...(shapeOf(rest) as Record<string, unknown>) };
}
