import { describe, expect, it } from "vitest";
import {
  CAUTIOUS_BITS_PER_SECOND,
  firstEstimate,
  LineMeter,
  lowerFirstRung,
  replaceFrom,
  type Buffered,
} from "./line";

const HOUR = 3_600_000;
/** `seconds` of a line that carries `mbit`, in the slices that the player measures in. */
const carry = (meter: LineMeter, seconds: number, mbit: number) => {
  for (let left = seconds; left > 1e-9; left -= 0.1) meter.add(Math.min(0.1, left), Math.min(0.1, left) * mbit * 1e6);
};

describe("the estimate", () => {
  it("is not known before 16 kB have arrived", () => {
    const meter = new LineMeter();
    carry(meter, 0.1, 1);
    expect(meter.known()).toBe(false);
    carry(meter, 0.1, 1);
    expect(meter.known()).toBe(true);
  });
  it("is what arrived", () => {
    const meter = new LineMeter();
    carry(meter, 20, 0.5);
    expect(meter.estimate(0)).toBeCloseTo(0.85 * 5e5, -3); // little is buffered: a part is kept in reserve
    expect(meter.estimate(12)).toBeCloseTo(5e5, -3);
    expect(meter.estimate(30)).toBeCloseTo(5e5, -3);
    expect(meter.average()).toBeCloseTo(5e5, -3);
  });
  it("sees a fast line again after two short segments, though the slow half minute before took longer", () => {
    const meter = new LineMeter();
    carry(meter, 30, 0.4);
    carry(meter, 0.5, 5); // two low segments
    expect(meter.estimate(30)).toBeGreaterThan(4e6);
  });
  it("falls within two seconds if little is buffered, and waits out a dip if much is", () => {
    const meter = new LineMeter();
    carry(meter, 20, 4);
    carry(meter, 2, 0.4);
    expect(meter.estimate(5)).toBeLessThan(5e5);
    expect(meter.estimate(25)).toBeGreaterThan(2e6);
    carry(meter, 8, 0.4);
    expect(meter.estimate(25)).toBeLessThan(5e5);
  });
  it("forgets what it is told to forget, and keeps a bounded number of samples", () => {
    const meter = new LineMeter();
    carry(meter, 600, 1);
    expect((meter as unknown as { samples: unknown[] }).samples.length).toBeLessThan(400);
    meter.reset();
    expect(meter.known()).toBe(false);
    expect(meter.estimate(0)).toBe(0);
  });
});

describe("the first estimate", () => {
  const nothing = { measured: null, remembered: null, hint: null, answeredMs: 40, now: 10 * HOUR };
  const remembered = (hours: number, mbit = 5) => ({
    bitsPerSecond: mbit * 1e6,
    answeredMs: 40,
    at: nothing.now - hours * HOUR,
  });

  it("is cautious where nothing is known", () => {
    expect(firstEstimate(nothing)).toBe(CAUTIOUS_BITS_PER_SECOND);
  });
  it("trusts the last film's line for an hour, less for a week, then no more", () => {
    expect(firstEstimate({ ...nothing, remembered: remembered(0.5) })).toBe(1.25e6);
    expect(firstEstimate({ ...nothing, remembered: remembered(3) })).toBe(1e6);
    expect(firstEstimate({ ...nothing, remembered: remembered(24 * 8) })).toBe(CAUTIOUS_BITS_PER_SECOND);
  });
  it("does not trust a memory from the future: the clock was changed", () => {
    expect(firstEstimate({ ...nothing, remembered: remembered(-2) })).toBe(CAUTIOUS_BITS_PER_SECOND);
  });
  it("does not trust either on a line that answers much later than then", () => {
    const measured = { bitsPerSecond: 80e6, answeredMs: 5 };
    const slow = { ...nothing, measured, remembered: remembered(0.1), answeredMs: 200 };
    expect(firstEstimate(slow)).toBe(CAUTIOUS_BITS_PER_SECOND);
  });
  it("is a quarter of what the page measured, bounded, whatever is remembered or hinted", () => {
    const measured = { bitsPerSecond: 6e6, answeredMs: 5 };
    const known = { ...nothing, measured, remembered: remembered(0.1, 2), hint: 1e6 };
    expect(firstEstimate(known)).toBe(1.5e6);
    expect(firstEstimate({ ...known, measured: { ...measured, bitsPerSecond: 900e6 } })).toBe(8e6);
  });
  it("is lowered by the browser's hint where nothing else is known, and never raised", () => {
    expect(firstEstimate({ ...nothing, hint: 0.2e6 })).toBeCloseTo(160_000);
    expect(firstEstimate({ ...nothing, hint: 10e6 })).toBe(CAUTIOUS_BITS_PER_SECOND);
  });
  it("can be below the cautious one: a line that was slow is begun slowly", () => {
    expect(firstEstimate({ ...nothing, remembered: remembered(0.1, 0.6) })).toBe(150_000);
  });
});

describe("low quality in the buffer", () => {
  const low = (first: number, last: number): Buffered[] =>
    Array.from({ length: (last - first) / 6 }, (_, i) => ({
      start: first + 6 * i,
      end: first + 6 * i + 6,
      bitrate: 300_000,
    }));

  it("is replaced from the next segment that can be fetched in time, on a line with bandwidth to spare", () => {
    expect(replaceFrom(low(0, 36), 2, 1_600_000, 5e6, 0.05)).toBe(6);
    expect(replaceFrom(low(0, 36), 5, 1_600_000, 5e6, 0.05)).toBe(12);
  });
  it("is kept for a while if there is little to spare, and for good if there is none", () => {
    expect(replaceFrom(low(0, 36), 2, 1_600_000, 2.5e6, 0.05)).toBe(18);
    expect(replaceFrom(low(0, 36), 2, 1_600_000, 1.8e6, 0.05)).toBe(null);
  });
  it("is not replaced by what is hardly better, nor by less", () => {
    expect(replaceFrom(low(0, 36), 2, 350_000, 5e6, 0.05)).toBe(null);
    expect(replaceFrom(low(0, 36), 2, 200_000, 5e6, 0.05)).toBe(null);
  });
  it("is replaced from where it begins: good segments before it stay", () => {
    const mixed = [...low(0, 36)].map((one) => (one.start < 18 ? { ...one, bitrate: 1_600_000 } : one));
    expect(replaceFrom(mixed, 2, 1_600_000, 5e6, 0.05)).toBe(18);
  });
  it("is nothing in an empty buffer", () => {
    expect(replaceFrom([], 2, 1_600_000, 5e6, 0.05)).toBe(null);
  });
});

describe("a first segment that comes too slowly", () => {
  const rungs = [200_000, 400_000, 800_000, 1_600_000].map((bitrate) => ({ bitrate }));

  it("is given up for the best rung that comes in time", () => {
    expect(lowerFirstRung(rungs, 3, 9_000_000, 6, 1e6)).toBe(0);
    expect(lowerFirstRung(rungs, 3, 9_000_000, 6, 2e6)).toBe(1);
    expect(lowerFirstRung(rungs, 3, 9_000_000, 6, 3e5)).toBe(0);
  });
  it("is waited for if it is nearly there, or if the change would win nothing", () => {
    expect(lowerFirstRung(rungs, 3, 1_000_000, 6, 1e6)).toBe(null);
    expect(lowerFirstRung(rungs, 1, 1_300_000, 6, 4e5)).toBe(null);
  });
  it("is waited for if it is the lowest one", () => {
    expect(lowerFirstRung(rungs, 0, 9_000_000, 6, 1e5)).toBe(null);
  });
});
