/** How times, sizes and counts are written for people. Pure. */

/** `1:02:03`, `4:05`: a position on the scrub bar. */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const h = Math.floor(whole / 3600);
  const m = Math.floor(whole / 60) % 60;
  const s = String(whole % 60).padStart(2, "0");
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

/** `1 h 32 min`, `9 min`, `16 s`: a title's length. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !(seconds > 0)) return "";
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
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
