import { describe, expect, it } from "vitest";
import { actionFor } from "./keys";

const press = (key: string, held: Partial<Record<"ctrlKey" | "metaKey" | "altKey", boolean>> = {}, onControl = false) =>
  actionFor({ key, ctrlKey: false, metaKey: false, altKey: false, ...held }, onControl);

describe("the player's keys", () => {
  it("plays and pauses by Space and K, but leaves Space to a focused button", () => {
    expect(press(" ")).toEqual({ do: "toggle" });
    expect(press(" ", {}, true)).toBeNull();
    expect(press("K", {}, true)).toEqual({ do: "toggle" });
  });
  it("skips by arrows and J, L and jumps by digits", () => {
    expect(press("ArrowLeft")).toEqual({ do: "skip", seconds: -5 });
    expect(press("l")).toEqual({ do: "skip", seconds: 10 });
    expect(press("7")).toEqual({ do: "jump", share: 0.7 });
  });
  it("leaves the browser's own shortcuts alone", () => {
    expect(press("f", { ctrlKey: true })).toBeNull();
    expect(press("1", { metaKey: true })).toBeNull();
    expect(press("ArrowLeft", { altKey: true })).toBeNull();
    expect(press("Tab")).toBeNull();
  });
});
