import { describe, expect, it } from "vitest";
import { isAtTop } from "./Captions";

describe("where a cue is drawn", () => {
  it.each([
    [{ line: 5, snapToLines: false }, true],
    [{ line: 90, snapToLines: false }, false],
    [{ line: 0, snapToLines: true }, true],
    [{ line: -1, snapToLines: true }, false],
    [{ line: "auto" as const, snapToLines: true }, false],
  ])("%o at the top: %s", (cue, top) => expect(isAtTop(cue)).toBe(top));
});
