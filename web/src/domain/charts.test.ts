import { describe, expect, it } from "vitest";
import { age, axisTop, count, everyDay, linePath, moment, percent, readDays, retentionByWeek, seconds, shortDay } from "./charts";

describe("the axis", () => {
  it("ends at a round number that holds every value", () => {
    expect([[0.03], [1], [1.1], [4.9], [51], [999], []].map(axisTop)).toEqual([0.05, 1, 2, 5, 100, 1000, 1]);
    expect(axisTop([null, 0, Number.NaN])).toBe(1);
  });
});

describe("a line", () => {
  it("has its first value at the left, its last at the right and zero at the bottom", () =>
    expect(linePath([0, 5, 10], 10)).toBe("M0 100L50 50L100 0"));
  it("has a gap where nothing was measured, and a short stroke for a value alone", () => {
    expect(linePath([1, null, 1, 1], 1)).toBe("M0 0H1M66.67 0L100 0");
    expect(linePath([3], 6)).toBe("M49 50H51");
    expect(linePath([null, null], 1)).toBe("");
  });
  it("stays inside of the chart", () => expect(linePath([-1, 99], 10)).toBe("M0 100L100 0"));
});

describe("days", () => {
  it("are all there, also those without a row, in order", () => {
    const items = [{ day: "2026-03-02" }, { day: "2026-02-27" }];
    expect(everyDay(items).map(({ day, item }) => [day, item !== null])).toEqual([
      ["2026-02-27", true],
      ["2026-02-28", false],
      ["2026-03-01", false],
      ["2026-03-02", true],
    ]);
    expect(everyDay([])).toEqual([]);
  });
  it("are named in UTC", () => {
    expect(shortDay("2026-11-30")).toBe("30 Nov".split(" ").reverse().join(" "));
    expect(moment("2026-11-30T23:59:00Z")).toContain("23:59 UTC");
  });
});

describe("retention", () => {
  it("counts each cohort by its size", () => {
    const items = [
      { weeks_since: 1, profiles: 90, retained: 9 },
      { weeks_since: 0, profiles: 10, retained: 10 },
      { weeks_since: 1, profiles: 10, retained: 10 },
    ];
    expect(retentionByWeek(items).map(({ week, retention }) => [week, retention])).toEqual([[0, 1], [1, 0.19]]);
    expect(retentionByWeek([{ weeks_since: 0, profiles: 0, retained: 0 }])[0]?.retention).toBeNull();
  });
});

describe("words", () => {
  it("of figures are short, and a dash where nothing was counted", () => {
    expect([0, 0.0031, 0.025, 0.5, null].map(percent)).toEqual(["0 %", "0.31 %", "2.5 %", "50 %", "–"]);
    expect([0.8, 12.4, null].map(seconds)).toEqual(["0.8 s", "12 s", "–"]);
    expect([1234.5, 3.52, 0.042, null].map(count)).toEqual(["1,235", "3.5", "0.04", "–"]);
  });
  it("of an age", () => expect([5, 61, 7200, 90_000].map(age)).toEqual(["less than a minute", "1 minute", "2 hours", "1 day"]));
});

describe("the range in the address", () => {
  it("is one that is offered", () => expect(["days=7", "days=90", "days=8", ""].map(readDays)).toEqual([7, 90, 28, 28]));
});
