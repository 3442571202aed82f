import { beforeEach, expect, it, vi } from "vitest";
import { forgetPlace, keepPlace, takePlace } from "./leftAt";

const kept = new Map<string, string>();
vi.stubGlobal("sessionStorage", {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
});
beforeEach(() => kept.clear());

it("gives the place of the same film, once", () => {
  keepPlace("m_a", 12.5);
  expect(takePlace("m_a")).toBe(12.5);
  expect(takePlace("m_a")).toBeNull();
});
it("gives nothing for another film, for the start, for nonsense, or after the viewer left", () => {
  keepPlace("m_a", 12.5);
  expect(takePlace("m_b")).toBeNull();
  keepPlace("m_a", 0);
  expect(takePlace("m_a")).toBeNull();
  for (const nonsense of ["{", "null", "7", '{"movieId":"m_a","seconds":"9"}']) {
    kept.set("marquee.left", nonsense);
    expect(takePlace("m_a"), nonsense).toBeNull();
  }
  keepPlace("m_a", 12.5);
  forgetPlace();
  expect(takePlace("m_a")).toBeNull();
});
