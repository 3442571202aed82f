import { describe, expect, it } from "vitest";
import { channelsOf, qualityOf } from "./tracks";

describe("what a title offers, in words", () => {
  it("names channels as people do", () => {
    expect([1, 2, 6, 8, 3].map(channelsOf)).toEqual(["mono", "stereo", "5.1 surround", "7.1 surround", "3 channels"]);
  });
  it("tells the best picture", () => {
    expect(qualityOf({ name: "1080p", width: 1920, height: 1080 })).toBe("Up to 1080p (1920 × 1080)");
  });
});
