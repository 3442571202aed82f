import { describe, expect, it } from "vitest";
import { bytes, clock, day, duration, spokenTime } from "./format";

describe("times for people", () => {
  it("writes a position as a clock", () => {
    expect(clock(0)).toBe("0:00");
    expect(clock(65.9)).toBe("1:05");
    expect(clock(3723)).toBe("1:02:03");
    expect(clock(Number.NaN)).toBe("0:00");
  });
  it("writes a length in the two largest units", () => {
    expect(duration(16.1)).toBe("16 s");
    expect(duration(596)).toBe("10 min");
    expect(duration(5520)).toBe("1 h 32 min");
    expect(duration(7200)).toBe("2 h");
    expect(duration(null)).toBe("");
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
