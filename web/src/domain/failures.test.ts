import { describe, expect, it } from "vitest";
import { RULES, TOLD_AFTER_SECONDS, Tries, Watchdog, kindOf, pauseSeconds, type Fault, type Kind, type Sight, type Verdict } from "./failures";

const ALL = Object.entries(RULES) as [Kind, (typeof RULES)[Kind]][];

describe("each kind of failure", () => {
  it.each(ALL)("ends in a sentence and in a button that fits: %s", (_kind, { words, help, tries, action }) => {
    expect(words).toMatch(/^[A-Z][^`<>{}]{20,}\.$/);
    expect(["again", "none"]).toContain(help);
    expect(/try again|by itself/i.test(words), words).toBe(help === "again");
    expect(tries === 0, "nothing is tried where nothing helps, and only there").toBe(action === "none");
    expect(tries).toBeLessThan(6);
  });
});

describe("the kind of a failed request", () => {
  const cases: [Fault, Kind][] = [
    [{ status: 0 }, "unreachable"],
    [{}, "unreachable"],
    [{ timedOut: true }, "slow"],
    [{ unreadable: true, status: 200 }, "damaged"],
    [{ status: 302 }, "damaged"],
    ...[401, 403, 410].map((status): [Fault, Kind] => [{ status }, "refused"]),
    ...[400, 404, 405, 409, 412, 416, 451].map((status): [Fault, Kind] => [{ status }, "missing"]),
    ...[408, 425, 429, 503].map((status): [Fault, Kind] => [{ status }, "busy"]),
    ...[500, 502, 504, 599].map((status): [Fault, Kind] => [{ status }, "failing"]),
  ];
  it.each(cases)("%j", (fault, kind) => expect(kindOf(fault)).toBe(kind));
});

describe("the pauses", () => {
  it("grow, differ between viewers, and have an end", () => {
    expect([0, 1, 2, 3, 9].map((tried) => pauseSeconds(tried, null, 0))).toEqual([0.25, 0.5, 1, 2, 4]);
    expect([0, 1, 2, 3, 9].map((tried) => pauseSeconds(tried, null, 1))).toEqual([0.5, 1, 2, 4, 8]);
  });
  it("are never shorter than Retry-After", () => {
    for (const chance of [0, 0.5, 1]) {
      for (const wait of [1, 7, 60]) {
        expect(pauseSeconds(0, wait, chance)).toBeGreaterThanOrEqual(wait);
        expect(pauseSeconds(0, wait, chance)).toBeLessThanOrEqual(wait + 2);
      }
    }
    expect(pauseSeconds(0, 0, 1)).toBe(0.5);
  });
  it("of all tries together end before a viewer would be told anyhow", () => {
    for (const [kind, { tries }] of ALL) {
      const total = Array.from({ length: tries }, (_, made) => pauseSeconds(made, null, 1)).reduce((sum, one) => sum + one, 0);
      expect(total, kind).toBeLessThan(TOLD_AFTER_SECONDS / 2);
    }
  });
});

describe("the tries", () => {
  it("end", () => {
    for (const [kind, { tries }] of ALL) {
      const counted = new Tries();
      for (let i = 0; i < tries; i += 1) expect(counted.next(kind, 12, null), kind).not.toBeNull();
      expect(counted.next(kind, 12, null), kind).toBeNull();
    }
  });
  it("begin anew once the film is loaded further than where it failed, and not before", () => {
    const counted = new Tries();
    while (counted.next("missing", 12, null) !== null);
    counted.gotTo(6); // the same segments again, after a restart
    counted.gotTo(12.1);
    expect(counted.next("missing", 12, null)).toBeNull();
    counted.gotTo(18);
    expect(counted.next("missing", 18, null)).not.toBeNull();
  });
  it("ask for a fresh address when the same one was busy twice", () => {
    const counted = new Tries();
    expect([0, 1].map(() => counted.next("busy", 0, 3)!.action)).toEqual(["resume", "renew"]);
  });
  it("do not trust bytes that no decoder could read twice", () => {
    const counted = new Tries();
    expect([0, 1].map(() => counted.next("undecodable", 0, null)!.action)).toEqual(["mend", "reload"]);
  });
  it("of one kind count for another: two failures in a row are one outage", () => {
    const counted = new Tries();
    counted.next("failing", 0, null);
    counted.next("refused", 0, null);
    expect(counted.next("damaged", 0, null)).toBeNull();
  });
});

/** What the watchdog said, with the second of each change. */
function watched(seconds: number, sight: (second: number) => Partial<Sight>, step = 0.5): [number, Verdict][] {
  const watchdog = new Watchdog();
  const said: [number, Verdict][] = [];
  for (let at = 0; at <= seconds; at += step) {
    const verdict = watchdog.sample(step, { position: 7, arrived: 0, wanted: true, ready: false, ...sight(at) });
    if (said.at(-1)?.[1] !== verdict) said.push([at, verdict]);
  }
  return said;
}

describe("the watchdog", () => {
  it("tells after 20 s in which nothing moved and nothing came, and has one reload tried before", () => {
    expect(watched(21, () => ({})).map(([, verdict]) => verdict)).toEqual(["moves", "still", "slow", "stalled", "told"]);
    expect(watched(21, () => ({})).at(-1)![0]).toBe(TOLD_AFTER_SECONDS);
  });
  it("tells no later where the reload brought no more than the playlists", () => {
    expect(watched(25, (at) => ({ arrived: at >= 9 ? 3 : 0 })).at(-1)).toEqual([20, "told"]);
  });
  it("is patient with a slow line, up to a minute", () => {
    const said = watched(61, (at) => ({ arrived: Math.floor(at / 4) }));
    expect(said.map(([, verdict]) => verdict)).toEqual(["moves", "still", "slow", "line"]);
    expect(said.at(-1)![0]).toBe(60);
  });
  it("sees a film that stands still though it is loaded", () => {
    const said = watched(21, (at) => ({ ready: true, arrived: at }));
    expect(said.map(([, verdict]) => verdict)).toEqual(["moves", "still", "slow", "stuck", "told"]);
  });
  it("leaves a film alone that plays, is paused or has ended", () => {
    expect(watched(90, (at) => ({ position: at }))).toEqual([[0, "moves"]]);
    expect(watched(90, () => ({ wanted: false }))).toEqual([[0, "moves"]]);
  });
  it("does not take the sleep of a device for a standstill", () => {
    const watchdog = new Watchdog();
    const still: Sight = { position: 7, arrived: 0, wanted: true, ready: false };
    watchdog.sample(0.5, still);
    expect(watchdog.sample(3600, still)).toBe("still");
  });
});
