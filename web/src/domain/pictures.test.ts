import { describe, expect, it } from "vitest";
import { sourceSet } from "./pictures";

describe("pictures in several sizes", () => {
  it("names every size with its width", () => {
    expect(sourceSet([{ url: "/a-640.jpg", width: 640 }, { url: "/a-1280.jpg", width: 1280 }])).toBe(
      "/a-640.jpg 640w, /a-1280.jpg 1280w",
    );
    expect(sourceSet([])).toBe("");
  });
});
