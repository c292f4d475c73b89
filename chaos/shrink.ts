/**
 * Finds the fewest faults that still violate, trying the smallest sets first. A run depends on time
 * as well, so each set gets a few attempts.
 * @returns all of them where no smaller set violates again.
 */
export async function shrink<T>(
  faults: readonly T[],
  violates: (faults: readonly T[]) => Promise<boolean>,
  attempts = 2,
): Promise<readonly T[]> {
  for (const few of subsets(faults)) {
    for (let attempt = 0; attempt < attempts; attempt += 1) if (await violates(few)) return few;
  }
  return faults;
}

/** All but the whole, by size; within a size in the order given. */
export function subsets<T>(values: readonly T[]): T[][] {
  const all = Array.from({ length: 2 ** values.length - 1 }, (_, bits) =>
    values.filter((_value, index) => bits & (1 << index)),
  );
  return all.toSorted((a, b) => a.length - b.length);
}
