/**
 * The names in a JSON value with the types of what they hold, so that a snapshot pins the form and
 * not the sample. An array becomes the distinct shapes of its elements.
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

/** A log line: the values that filters compare, and the types of the rest. */
export function lineShape(line: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { level, event, service, ...rest } = line;
  return { level, event, service, ...(shapeOf(rest) as Record<string, unknown>) };
}
