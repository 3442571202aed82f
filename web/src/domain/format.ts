/** How times, sizes and counts are written for people. Pure. */

/** `1:02:03`, `4:05`: a position on the scrub bar. */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const h = Math.floor(whole / 3600);
  const m = Math.floor(whole / 60) % 60;
  const s = String(whole % 60).padStart(2, "0");
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

const SECONDS_BELOW = 600;

/** Hours, minutes and seconds of a length. Seconds matter below ten minutes only: a longer one is whole minutes. */
function partsOf(seconds: number | null | undefined): [number, number, number] | null {
  if (seconds === null || seconds === undefined || !(seconds > 0) || !Number.isFinite(seconds)) return null;
  let whole = Math.max(1, Math.round(seconds));
  if (whole >= SECONDS_BELOW) whole = Math.round(seconds / 60) * 60;
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
}

/** `2 h 5 min`, `2 min 30 s`, `16 s`: a title's length. */
export function duration(seconds: number | null | undefined): string {
  const parts = partsOf(seconds);
  if (parts === null) return "";
  const units = ["h", "min", "s"];
  return parts.flatMap((value, index) => (value > 0 ? [`${value} ${units[index]}`] : [])).join(" ");
}

/** `2 hours 5 minutes`, `2 minutes 30 seconds`: the same length, for a screen reader. */
export function spokenDuration(seconds: number | null | undefined): string {
  const parts = partsOf(seconds);
  return parts === null ? "" : spokenTime(parts[0] * 3600 + parts[1] * 60 + parts[2]);
}

/** `Added today`, `Added 3 weeks ago`: how long a title has been there. */
export function added(iso: string | null | undefined, now: Date = new Date()): string {
  if (!iso) return "";
  const days = Math.floor((now.getTime() - new Date(iso).getTime()) / 86_400_000);
  if (!Number.isFinite(days)) return "";
  if (days < 1) return "Added today";
  const ago = (count: number, unit: string) => `Added ${count} ${unit}${count === 1 ? "" : "s"} ago`;
  if (days < 14) return ago(days, "day");
  if (days < 61) return ago(Math.floor(days / 7), "week");
  if (days < 730) return ago(Math.floor(days / 30.44), "month");
  return ago(Math.floor(days / 365.25), "year");
}

/** `1 hour 2 minutes 3 seconds`, for a screen reader. */
export function spokenTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  const add = (value: number, unit: string) => {
    if (value > 0) parts.push(`${value} ${unit}${value === 1 ? "" : "s"}`);
  };
  add(Math.floor(whole / 3600), "hour");
  add(Math.floor(whole / 60) % 60, "minute");
  add(whole % 60, "second");
  return parts.length > 0 ? parts.join(" ") : "0 seconds";
}

/** `12.4 MB`, in powers of 1000 as file managers write them. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `today`, `yesterday`, `12 March 2026`. */
export function day(iso: string, now: Date = new Date()): string {
  const moment = new Date(iso);
  const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((midnight(now) - midnight(moment)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return moment.toLocaleDateString("en", { weekday: "long" });
  return moment.toLocaleDateString("en", { day: "numeric", month: "long", year: "numeric" });
}

const LANGUAGES = typeof Intl.DisplayNames === "function" ? new Intl.DisplayNames(["en"], { type: "language" }) : null;

/** `English` for `en` or `eng`; the code itself where the browser knows no name. */
export function language(code: string | null | undefined): string {
  if (!code || code === "und") return "Unknown language";
  try {
    return LANGUAGES?.of(code) ?? code;
  } catch {
    return code;
  }
}
