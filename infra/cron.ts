/**
 * Number of days over which a schedule's runs are laid out. Except for leap years, every pattern of
 * weekdays and months occurs in them.
 */
const LOOKED_AT_DAYS = 800;
const HOUR_MINUTES = 60;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const FORM =
  'must be cron(minutes hours day-of-month month day-of-week year) or rate(value ' +
  'minutes|hours|days)';

/**
 * The longest time between two runs of a schedule as EventBridge Scheduler reads it, in hours.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 * @throws Error naming the mistake in the expression. `L`, `W` and `#` are not supported here.
 */
export function longestGapHours(expression: string): number {
  const rate = /^rate\(([1-9]\d{0,4}) (minutes?|hours?|days?)\)$/.exec(expression);
  if (rate !== null) {
    const [, value = '', unit = ''] = rate;
    if ((value === '1') === unit.endsWith('s'))
      throw new Error(
        `"${expression}": write 1 minute, hour or day, and several minutes, hours or days`,
      );
    return (
      (Number(value) *
        { minute: 1, hour: HOUR_MINUTES, day: 24 * HOUR_MINUTES }[
          unit.replace(/s$/, '') as 'minute' | 'hour' | 'day'
        ]) /
      HOUR_MINUTES
    );
  }
  const fields = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/.exec(expression)?.slice(1);
  if (fields === undefined) throw new Error(`"${expression}": ${FORM}`);
  const [minutes = '', hours = '', days = '', months = '', weekdays = '', years = ''] = fields;
  if (years !== '*')
    throw new Error(`"${expression}": the year must be *, as backups have no last one`);
  if ((days === '?') === (weekdays === '?'))
    throw new Error(`"${expression}": exactly one of day-of-month and day-of-week must be ?`);
  const times = timesOfDay(minutes, hours);
  const isDay = dayMatcher(days, months, weekdays);
  let previous: number | undefined;
  let longest = 0;
  let count = 0;
  const first = Date.UTC(2024, 0, 1);
  for (let day = 0; day < LOOKED_AT_DAYS; day += 1) {
    if (!isDay(new Date(first + day * 86_400_000))) continue;
    for (const time of times) {
      const at = day * 24 * HOUR_MINUTES + time;
      if (previous !== undefined) longest = Math.max(longest, at - previous);
      previous = at;
      count += 1;
    }
  }
  if (count < 2) throw new Error(`"${expression}": runs less than twice in two years`);
  return longest / HOUR_MINUTES;
}

function timesOfDay(minutes: string, hours: string): number[] {
  const atMinutes = numbers(minutes, 0, 59);
  return numbers(hours, 0, 23).flatMap((hour) =>
    atMinutes.map((minute) => hour * HOUR_MINUTES + minute),
  );
}

function dayMatcher(days: string, months: string, weekdays: string): (date: Date) => boolean {
  const inMonths = new Set(numbers(months, 1, 12, MONTHS, 1));
  if (weekdays !== '?') {
    const on = new Set(numbers(weekdays, 1, 7, WEEKDAYS, 1));
    return (date) => inMonths.has(date.getUTCMonth() + 1) && on.has(date.getUTCDay() + 1);
  }
  const on = new Set(numbers(days, 1, 31));
  return (date) => inMonths.has(date.getUTCMonth() + 1) && on.has(date.getUTCDate());
}

/** A field's numbers in order: `*`, `5`, `1-5`, `0/6`, `MON-FRI`, and lists of these. */
function numbers(
  field: string,
  least: number,
  most: number,
  names: readonly string[] = [],
  firstName = 0,
): number[] {
  const found = new Set<number>();
  const read = (text: string): number => {
    const named = names.indexOf(text.toUpperCase());
    const value = named >= 0 ? named + firstName : /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new Error(
        `"${text}" is not from ${least} to ${most}; ${FORM}, here without L, W and #`,
      );
    return value;
  };
  for (const item of field.split(',')) {
    const [range = '', step = ''] = item.split('/');
    if (item.includes('/') && !/^[1-9]\d*$/.test(step))
      throw new Error(`"${item}" has no whole number after the slash`);
    const [from = '', to] = range.split('-');
    const start = range === '*' ? least : read(from);
    const end = range === '*' || (to === undefined && step !== '') ? most : read(to ?? from);
    if (end < start) throw new Error(`"${item}" ends before it begins`);
    for (let value = start; value <= end; value += step === '' ? 1 : Number(step)) found.add(value);
  }
  return [...found].toSorted((a, b) => a - b);
}
