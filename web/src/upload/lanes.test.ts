import { describe, expect, it } from "vitest";
import { LANE_BYTES_PER_SECOND, Lanes } from "./lanes";

/** How many of five parts run at once. */
async function running(lanes: Lanes): Promise<number> {
  let now = 0;
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const all = Array.from({ length: 5 }, () =>
    lanes.one(async () => {
      now += 1;
      await ended;
    }),
  );
  await new Promise((resolve) => setTimeout(resolve));
  const found = now;
  end();
  await Promise.all(all);
  return found;
}

describe("parts at once", () => {
  it("is one before anything was sent", async () => expect(await running(new Lanes(3))).toBe(1));

  it.each([
    [67_000, 1],
    [LANE_BYTES_PER_SECOND, 1],
    [2 * LANE_BYTES_PER_SECOND, 2],
    [10 * LANE_BYTES_PER_SECOND, 3],
  ])("for a line of %i bytes a second is %i", async (line, expected) => {
    const lanes = new Lanes(3);
    await lanes.one(async () => lanes.sent(line * 5, 5000));
    expect(await running(lanes)).toBe(expected);
  });

  it("is one again after a part was too slow, also for parts that failed", async () => {
    const lanes = new Lanes(3);
    await lanes.one(async () => lanes.sent(1e9, 1000));
    await lanes.one(async () => {
      lanes.tooSlow();
      throw new Error("408");
    }).catch(() => undefined);
    expect(await running(lanes)).toBe(1);
  });
});
