import { beforeEach, describe, expect, it } from "vitest";
import { ProgressReporter, type ProgressSample } from "./progress";

describe("progress of a viewer", () => {
  let now = 0;
  let wall = 0;
  let sent: (ProgressSample & { leaving: boolean })[] = [];
  let answers: boolean[] = [];
  const reporter = () =>
    new ProgressReporter(
      async (sample, leaving) => {
        sent.push({ ...sample, leaving });
        return answers.shift() ?? true;
      },
      () => now,
      () => wall,
    );
  const settle = () => new Promise((resolve) => setTimeout(resolve));

  beforeEach(() => {
    now = 1000;
    sent = [];
    answers = [];
  });

  it("sends while playing every 4 s, not more often", async () => {
    const r = reporter();
    for (let t = 0; t < 12; t += 1) {
      now = 1000 + t * 1000;
      r.played(t);
      await settle();
    }
    expect(sent.map((s) => s.position_seconds)).toEqual([0, 4, 8]);
  });

  it("sends at once on pause", async () => {
    const r = reporter();
    r.played(1);
    await settle();
    now += 500;
    r.stopped(1.5);
    await settle();
    expect(sent.map((s) => s.position_seconds)).toEqual([1, 1.5]);
  });

  it("keeps a sample that was not acknowledged and states its age when it goes out later", async () => {
    answers = [false, true];
    const r = reporter();
    r.stopped(7);
    await settle();
    now += 2500;
    await r.flush();
    expect(sent).toEqual([
      { position_seconds: 7, age_ms: 0, leaving: false },
      { position_seconds: 7, age_ms: 2500, leaving: false },
    ]);
    await r.flush();
    expect(sent).toHaveLength(2);
  });

  it.each([
    ["slept, and its monotonic clock stood still", 2000, 8 * 3600e3, 8 * 3600e3],
    ["was set back by an hour", 2500, -3600e3, 2500],
    ["was set from 1970 to today", 2500, 56 * 365 * 24 * 3600e3, 365 * 24 * 3600e3],
  ])("states the longer age where the device %s", async (_what, passed, wallPassed, age) => {
    answers = [false, true];
    const r = reporter();
    r.stopped(7);
    await settle();
    now += passed;
    wall += wallPassed;
    await r.flush();
    expect(sent.at(-1)).toEqual({ position_seconds: 7, age_ms: age, leaving: false });
  });

  it("sends where the viewer paused also when a sample is under way at that moment", async () => {
    const r = reporter();
    r.played(4);
    now += 100;
    r.stopped(4.1); // no further event follows a pause
    await settle();
    expect(sent.map((s) => s.position_seconds)).toEqual([4, 4.1]);
  });

  it("does not wait for a request under way when the page leaves", async () => {
    let release: (ok: boolean) => void = () => {};
    const leavings: boolean[] = [];
    const r = new ProgressReporter(
      (_, leaving) => {
        leavings.push(leaving);
        return new Promise((resolve) => (release = resolve));
      },
      () => now,
      () => wall,
    );
    r.stopped(3);
    r.leaving(3.4);
    expect(leavings).toEqual([false, true]);
    release(true);
  });

  it("ignores positions that no film has", async () => {
    const r = reporter();
    r.stopped(Number.NaN);
    r.stopped(-1);
    await settle();
    expect(sent).toEqual([]);
  });
});
