export type Spread = { readonly median: number; readonly least: number; readonly most: number };

/** NaN for no values; between the two in the middle for an even number of them. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

export type Point = { readonly x: number; readonly y: number };
export type Fit = {
  readonly slope: number;
  readonly intercept: number;
  /** What was measured less what the line says, at each point. */
  readonly residuals: readonly number[];
};

/** The line of least squares. Undefined for fewer than two different x. */
export function fitLine(points: readonly Point[]): Fit | undefined {
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const squares = sum(points.map(({ x }) => (x - meanX) ** 2));
  if (points.length < 2 || squares === 0) return undefined;
  const slope = sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / squares;
  const intercept = meanY - slope * meanX;
  return { slope, intercept, residuals: points.map(({ x, y }) => y - (intercept + slope * x)) };
}

/**
 * Returns at most that many of the points, with the first and the last. Of each group it keeps the
 * point with the largest `of`.
 */
export function thin<T>(
  points: readonly T[],
  most: number,
  of: (point: T) => number,
): readonly T[] {
  if (points.length <= most) return points;
  const size = points.length / most;
  return Array.from({ length: most }, (_, index) => {
    const group = points.slice(
      Math.floor(index * size),
      Math.max(Math.floor(index * size) + 1, Math.floor((index + 1) * size)),
    );
    return group.reduce((best, point) => (of(point) > of(best) ? point : best));
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
