import { oneLine } from './redact.ts';

const KIB = 1024;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
/** From GiB on a tenth would hide how fast things move. */
const DECIMALS: Readonly<Record<(typeof BYTE_UNITS)[number], number>> = {
  B: 0,
  KiB: 1,
  MiB: 1,
  GiB: 2,
  TiB: 2,
  PiB: 2,
};

/** Bytes for people, in powers of 1024: `512 B`, `1.5 MiB`, `2.31 GiB`. Negative counts as 0. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  for (const unit of BYTE_UNITS) {
    const rounded = value.toFixed(DECIMALS[unit]);
    if (Number(rounded) < KIB || unit === 'PiB') return `${rounded} ${unit}`;
    value /= KIB;
  }
  return '';
}

/** Bytes per second for people: `80.1 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/**
 * Seconds for people, in the two largest units: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
 * Negative counts as 0.
 */
export function formatDuration(seconds: number): string {
  const tenths = Math.max(0, seconds).toFixed(1);
  if (Number(tenths) < 10) return `${tenths} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A share of 1 as a whole percentage: `47 %`. */
export function formatPercent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** The value of a flag may be a long list of tables. */
const SHOWN_FLAG_CHARACTERS = 40;

/**
 * `partial: --no-data, --where=id < 5`: the flags that narrowed a dump. Undefined when there are
 * none, or none are known.
 */
export function describePartial(narrowedBy: readonly string[] | null): string | undefined {
  if (narrowedBy === null || narrowedBy.length === 0) return undefined;
  const shown = narrowedBy.map((flag) => {
    const characters = [...oneLine(flag)];
    const isCut = characters.length > SHOWN_FLAG_CHARACTERS;
    return isCut ? `${characters.slice(0, SHOWN_FLAG_CHARACTERS).join('')}…` : characters.join('');
  });
  return `partial: ${shown.join(', ')}`;
}
