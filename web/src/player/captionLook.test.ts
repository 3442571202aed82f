import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CAPTION_LOOKS, CAPTION_SIZES, isCaptionLook, isCaptionSize, stepSize, type CaptionSize } from "./captionLook";

const styles = readFileSync(new URL("../styles/captions.css", import.meta.url), "utf-8");

describe("subtitle sizes", () => {
  it("rise, and end at the smallest and the largest", () => {
    const sizes = Object.values(CAPTION_SIZES);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    expect(stepSize("normal", 1)).toBe("large");
    expect(stepSize("largest", 1)).toBe("largest");
    expect(stepSize("small", -1)).toBe("small");
  });
  it.each(Object.keys(CAPTION_SIZES) as CaptionSize[])("%s is drawn as it says", (size) => {
    const drawn = new RegExp(`\\.size-${size} \\{\\s*--caption-size: ([0-9.]+);`).exec(styles)?.[1];
    expect(Number(drawn ?? 1)).toBe(CAPTION_SIZES[size]);
  });
  it("are known by name alone", () => {
    for (const wrong of ["giant", "", null, 1, "toString", {}]) expect(isCaptionSize(wrong)).toBe(false);
  });
});

describe("subtitle looks", () => {
  it.each(CAPTION_LOOKS.filter((look) => look !== "shade"))("%s has a style", (look) => {
    expect(styles).toContain(`.captions.look-${look} {`);
  });
  it("are known by name alone", () => expect(isCaptionLook("blink")).toBe(false));
});
