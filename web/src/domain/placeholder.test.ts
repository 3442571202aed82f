import { describe, expect, it } from "vitest";
import { isLongName, lookOf } from "./placeholder";

describe("a title without a poster", () => {
  it("has the same look at each visit, however it is spaced and whether its letters are large", () => {
    expect(lookOf("The Lighthouse Keeper")).toEqual(lookOf(" the lighthouse keeper "));
  });
});

describe("a name is set smaller", () => {
  it.each([
    ["Up", false],
    ["The Lighthouse Keeper and the Cartographer's Daughter", false],
    ["Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb", true],
    ["Donaudampfschifffahrtselektrizitätenhauptbetriebswerk", true],
  ])("%s: %s", (name, long) => {
    expect(isLongName(name)).toBe(long);
  });
});
