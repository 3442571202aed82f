import { describe, expect, it } from "vitest";
import { levelOf, likedTrack, nearestLines, qualitiesOf } from "./choices";

describe("a remembered quality", () => {
  const rungs = [234, 360, 540, 720, 1080];
  it.each([
    [720, 720],
    [480, 540],
    [450, 360], // as near as 540: the lower one
    [2160, 1080],
    [1, 234],
    [Number.MAX_SAFE_INTEGER, 1080],
  ])("of %i lines is %i where it is missing", (liked, lines) => expect(rungs[nearestLines(rungs, liked)]).toBe(lines));

  it("does not depend on the order of the rungs", () => {
    const mixed = [720, 234, 1080, 540, 360];
    for (const liked of [100, 297, 450, 630, 900, 4000]) {
      expect(mixed[nearestLines(mixed, liked)]).toBe(rungs[nearestLines(rungs, liked)]);
    }
  });
  it("is none of no rungs", () => expect(nearestLines([], 720)).toBe(-1));
  it("is the best of several with the same lines, and counts the shorter side of an upright film", () => {
    const levels = [
      { width: 1080, height: 1920, bitrate: 6e6 },
      { width: 720, height: 1280, bitrate: 2e6 },
      { width: 720, height: 1280, bitrate: 3e6 },
    ];
    expect(levelOf(levels, 720)).toBe(2);
    expect(levelOf(levels, 1000)).toBe(0);
  });
});

describe("a remembered language", () => {
  const tracks = [
    { language: "de", accessible: false },
    { language: "en", accessible: true },
    { language: "en-GB", accessible: false },
    { language: "en", accessible: false },
    { language: null, accessible: false },
  ];
  it.each([
    ["de", false, 0],
    ["en", false, 3],
    ["en", true, 1],
    ["EN-gb", false, 2],
    ["en-US", false, 2],
    ["de", true, 0],
    ["und", false, 4],
    ["fr", false, -1],
    [null, false, -1],
  ])("%s (accessible: %s) is track %i", (liked, accessible, at) => expect(likedTrack(tracks, liked, accessible)).toBe(at));
});

describe("the menu of qualities", () => {
  const level = (lines: number, bitrate: number, uri: string) => ({ width: (lines * 16) / 9, height: lines, bitrate, uri });
  const labels = (...levels: ReturnType<typeof level>[]) => qualitiesOf(levels).map(({ id, label }) => [id, label]);

  it("has the best rung first", () =>
    expect(labels(level(360, 8e5, "360"), level(720, 2e6, "720"))).toEqual([[1, "720p"], [0, "360p"]]));
  it("has one entry for a rung with two groups of sound: the one with the most bits", () => {
    expect(labels(level(360, 5e5, "360"), level(360, 6e5, "360"))).toEqual([[1, "360p"]]);
    expect(labels(level(360, 6e5, "360"), level(360, 5e5, "360"))).toEqual([[0, "360p"]]);
  });
  it("tells two rungs with the same lines apart by their bits", () =>
    expect(labels(level(720, 2e6, "a"), level(720, 3e6, "b"))).toEqual([[1, "720p · 3.0 Mbit/s"], [0, "720p · 2.0 Mbit/s"]]));
  it("is empty without rungs", () => expect(qualitiesOf([])).toEqual([]));
});
