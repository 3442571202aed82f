import { describe, expect, it } from "vitest";
import { added, bytes, clock, day, duration, spokenDuration, spokenTime } from "./format";

describe("times for people", () => {
  it("writes a position as a clock", () => {
    expect(clock(0)).toBe("0:00");
    expect(clock(65.9)).toBe("1:05");
    expect(clock(3723)).toBe("1:02:03");
    expect(clock(Number.NaN)).toBe("0:00");
  });
  it("writes a length in the two largest units", () => {
    expect(duration(16.1)).toBe("16 s");
    expect(duration(150)).toBe("2 min 30 s");
    expect(duration(596)).toBe("9 min 56 s");
    expect(duration(59.6)).toBe("1 min");
    expect(duration(0.2)).toBe("1 s");
    expect(duration(599.7)).toBe("10 min");
    expect(duration(725)).toBe("12 min");
    expect(duration(3599)).toBe("1 h");
    expect(duration(7500)).toBe("2 h 5 min");
    expect(duration(5520)).toBe("1 h 32 min");
    expect(duration(7200)).toBe("2 h");
    expect([null, undefined, 0, -3, Number.NaN, Number.POSITIVE_INFINITY].map((one) => duration(one))).toEqual(Array(6).fill(""));
  });
  it("never carries a unit past its end, and speaks what it writes", () => {
    for (let seconds = 0.5; seconds < 90_000; seconds += 13.7) {
      const words = duration(seconds);
      expect(words).not.toMatch(/\b(60|6[1-9]|[7-9]\d) (s|min)\b/);
      const spoken = words.replace(/(\d+) h\b/, "$1 hours").replace(/(\d+) min\b/, "$1 minutes").replace(/(\d+) s\b/, "$1 seconds");
      expect(spokenDuration(seconds)).toBe(spoken.replace(/\b1 (hour|minute|second)s/g, "1 $1"));
    }
    expect(spokenDuration(null)).toBe("");
  });
  it("says how long a title has been there", () => {
    const now = new Date("2026-06-10T12:00:00Z");
    const before = (days: number) => added(new Date(now.getTime() - days * 86_400_000).toISOString(), now);
    expect([0, 0.9, 1, 13, 14, 60, 61, 400, 800].map(before)).toEqual([
      "Added today",
      "Added today",
      "Added 1 day ago",
      "Added 13 days ago",
      "Added 2 weeks ago",
      "Added 8 weeks ago",
      "Added 2 months ago",
      "Added 13 months ago",
      "Added 2 years ago",
    ]);
    expect(added(null)).toBe("");
    expect(before(-5)).toBe("Added today");
  });
  it("speaks a position", () => {
    expect(spokenTime(3661)).toBe("1 hour 1 minute 1 second");
    expect(spokenTime(0)).toBe("0 seconds");
  });
  it("names days near and far", () => {
    const now = new Date(2026, 5, 10, 12);
    expect(day(new Date(2026, 5, 10, 1).toISOString(), now)).toBe("Today");
    expect(day(new Date(2026, 5, 9, 23).toISOString(), now)).toBe("Yesterday");
    expect(day(new Date(2026, 0, 2, 12).toISOString(), now)).toBe("January 2, 2026");
  });
});

describe("sizes for people", () => {
  it("moves to the next unit before it would print four digits", () => {
    expect(bytes(999)).toBe("999 B");
    expect(bytes(1500)).toBe("1.5 kB");
    expect(bytes(999_600_000)).toBe("1.0 GB");
    expect(bytes(123_456_789)).toBe("123 MB");
  });
});
