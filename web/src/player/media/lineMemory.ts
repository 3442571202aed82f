/**
 * What this device and this page know of the line before a film begins: the last film's estimate (localStorage, one entry), the
 * downloads of the page itself (Resource Timing), and the browser's own hint where it has one.
 */

import { device } from "../../browserStorage";
import type { Evidence, Remembered } from "../../domain/line";

const KEY = "marquee.line";
/** Smaller downloads say more of the delay than of the bandwidth. */
const MIN_BYTES = 30_000;
const MEASURED_WITHIN_MS = 120_000;

const isPositive = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value > 0;

export function readLine(): Remembered | null {
  try {
    const kept = JSON.parse(device.get(KEY) ?? "null") as Partial<Remembered> | null;
    if (kept === null || !isPositive(kept.bitsPerSecond) || !isPositive(kept.answeredMs) || !isPositive(kept.at)) return null;
    return { bitsPerSecond: kept.bitsPerSecond, answeredMs: kept.answeredMs, at: kept.at };
  } catch {
    return null;
  }
}

export const keepLine = (line: Remembered): void => device.set(KEY, JSON.stringify(line));

/** The fastest of the page's recent larger downloads, and its quickest answer. Answers from the cache say nothing. */
export function measuredByPage(): Evidence | null {
  const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  const recent = entries.filter(
    (one) => one.transferSize > 0 && one.responseStart > 0 && one.responseEnd > performance.now() - MEASURED_WITHIN_MS,
  );
  const large = recent.filter((one) => one.transferSize >= MIN_BYTES);
  if (large.length === 0) return null;
  return {
    bitsPerSecond: Math.max(...large.map((one) => (8000 * one.transferSize) / Math.max(1, one.responseEnd - one.requestStart))),
    answeredMs: Math.max(1, Math.min(...recent.map((one) => one.responseStart - one.requestStart))),
  };
}

/** Milliseconds until the first byte of this answer, without the time to connect. `fallback` where the browser does not say. */
export function answeredIn(url: string, fallback: number): number {
  const entry = performance.getEntriesByName(url, "resource").at(-1) as PerformanceResourceTiming | undefined;
  return Math.max(1, entry === undefined || entry.requestStart === 0 ? fallback : entry.responseStart - entry.requestStart);
}

/** Chromium's Network Information, in bits a second: rounded, and never above 10 Mbit/s. */
export function browsersHint(): number | null {
  const { connection } = navigator as { connection?: { downlink?: number; saveData?: boolean } };
  return isPositive(connection?.downlink) ? connection.downlink * 1e6 : null;
}
