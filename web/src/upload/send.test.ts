import { describe, expect, it } from "vitest";
import { pauseMs } from "./send";

describe("trying a part again", () => {
  it("waits longer each time, within half a minute", () => {
    expect(pauseMs(0, 1)).toBe(500);
    expect(pauseMs(3, 1)).toBe(4000);
    expect(pauseMs(12, 1)).toBe(20_000);
    expect(pauseMs(3, 0)).toBe(2000);
  });
});
