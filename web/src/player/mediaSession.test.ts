import { describe, expect, it } from "vitest";
import { positionState } from "./mediaSession";

describe("the position that the system is told", () => {
  it.each([
    ["no duration yet", Number.NaN, 0, 1],
    ["no end", Number.POSITIVE_INFINITY, 3, 1],
    ["nothing", 0, 0, 1],
    ["no position", 10, Number.NaN, 1],
  ])("is none for a film with %s", (_what, ...values) => expect(positionState(...values)).toBeNull());

  it("is inside of the film, at a speed that the browser takes", () => {
    expect(positionState(10, 10.04, 1)).toEqual({ duration: 10, position: 10, playbackRate: 1 });
    expect(positionState(10, -0.001, 2)).toEqual({ duration: 10, position: 0, playbackRate: 2 });
    expect(positionState(10, 5, 0)).toMatchObject({ playbackRate: 1 });
  });
});
