/** Geometry and words of the engineers' charts. Pure: shares of a chart's height and width, no pixels. */

/** The top of an axis that begins at 0: 1, 2 or 5 times a power of ten, at least the largest value. 1 if there is none. */
export function axisTop(values: readonly (number | null)[]): number {
  const largest = Math.max(0, ...values.filter((value): value is number => value !== null && Number.isFinite(value)));
  if (largest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(largest));
  for (const step of [1, 2, 5, 10]) if (step * power >= largest * (1 - 1e-9)) return step * power;
  return largest;
}

/**
 * A line's path in a square of 100, left to right, with 0 at the bottom. A missing value is a gap; a value between two gaps is a
 * short stroke, so that it is seen.
 */
export function linePath(values: readonly (number | null)[], top: number): string {
  const step = values.length > 1 ? 100 / (values.length - 1) : 0;
  const at = (index: number) => (values.length > 1 ? index * step : 50);
  const parts: string[] = [];
  values.forEach((value, index) => {
    if (value === null || !Number.isFinite(value)) return;
    const x = at(index);
    const y = 100 - (100 * Math.min(Math.max(value, 0), top)) / top;
    const follows = index > 0 && values[index - 1] !== null && values[index - 1] !== undefined;
    const goesOn = index + 1 < values.length && values[index + 1] !== null;
    if (follows) parts.push(`L${round(x)} ${round(y)}`);
    else if (goesOn) parts.push(`M${round(x)} ${round(y)}`);
    else parts.push(`M${round(Math.max(0, x - 1))} ${round(y)}H${round(Math.min(100, x + 1))}`);
  });
  return parts.join("");
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** Each day from the first to the last one, also those without a row: a missing day is a gap, not a shorter axis. */
export function everyDay<T extends { day: string }>(items: readonly T[]): { day: string; item: T | null }[] {
  const known = new Map(items.map((item) => [item.day, item]));
  const days = [...known.keys()].sort();
  const first = days[0];
  const last = days.at(-1);
  if (first === undefined || last === undefined) return [];
  const all: { day: string; item: T | null }[] = [];
  for (let at = Date.parse(first); at <= Date.parse(last) && all.length < 1000; at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10);
    all.push({ day, item: known.get(day) ?? null });
  }
  return all;
}

/** Retention of all cohorts together, by week: each cohort counts as many times as it has profiles. */
export function retentionByWeek(
  items: readonly { weeks_since: number; profiles: number; retained: number }[],
): { week: number; profiles: number; retained: number; retention: number | null }[] {
  const sums = new Map<number, { profiles: number; retained: number }>();
  for (const { weeks_since: week, profiles, retained } of items) {
    const sum = sums.get(week) ?? { profiles: 0, retained: 0 };
    sums.set(week, { profiles: sum.profiles + profiles, retained: sum.retained + retained });
  }
  return [...sums.entries()]
    .sort(([one], [other]) => one - other)
    .map(([week, sum]) => ({ week, ...sum, retention: sum.profiles > 0 ? sum.retained / sum.profiles : null }));
}

const NOTHING = "–";

/** `2.5 %`, `0.31 %`; a dash where nothing was counted. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return NOTHING;
  const value = 100 * share;
  return `${value === 0 || value >= 10 ? Math.round(value) : Number(value.toPrecision(2))} %`;
}

/** `0.8 s`. */
export const seconds = (value: number | null): string =>
  value === null || !Number.isFinite(value) ? NOTHING : `${value >= 10 ? Math.round(value) : Number(value.toFixed(2))} s`;

/** `1,234`, `3.5`, `0.04`. */
export const count = (value: number | null): string =>
  value === null || !Number.isFinite(value)
    ? NOTHING
    : value.toLocaleString("en", { maximumFractionDigits: value >= 100 ? 0 : value >= 1 ? 1 : 2 });

/** `30 Nov`: a day in UTC. */
export const shortDay = (iso: string): string =>
  new Date(`${iso.slice(0, 10)}T00:00:00Z`).toLocaleDateString("en", { day: "numeric", month: "short", timeZone: "UTC" });

/** `30 Nov, 14:05 UTC`. */
export function moment(iso: string): string {
  const time = new Date(iso).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "UTC" });
  return `${shortDay(new Date(iso).toISOString())}, ${time} UTC`;
}

/** `less than a minute`, `3 hours`, `12 days`: an age. */
export function age(secondsOld: number): string {
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]] as const) {
    const whole = Math.floor(secondsOld / size);
    if (whole >= 1) return `${whole} ${unit}${whole === 1 ? "" : "s"}`;
  }
  return "less than a minute";
}

export const RANGES = [7, 28, 90] as const;
export type Days = (typeof RANGES)[number];

/** The range that the address names; 28 days for what is none. */
export const readDays = (query: string): Days =>
  RANGES.find((days) => String(days) === new URLSearchParams(query).get("days")) ?? 28;
