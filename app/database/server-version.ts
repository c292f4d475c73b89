/** Compares the numbers that a version begins with. */
export function isAtLeast(version: string, ...wanted: readonly number[]): boolean {
  const numbers = version.split(/[^\d]/, wanted.length).map(Number);
  for (const [index, number] of wanted.entries()) {
    const own = numbers[index] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}
