import { beforeEach, describe, expect, it, vi } from "vitest";
import { remember, unfinished } from "./remembered";

describe("an upload that is gone on with", () => {
  beforeEach(() => {
    const kept = new Map<string, string>();
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    });
  });

  it("has the details that were given of it, until it has arrived", () => {
    const upload = { uploadId: "u_1", title: "Film", fileName: "a.mp4", sizeBytes: 7, details: { year: 1999, hot: true } };
    remember({ ...upload, arrived: false });
    expect(unfinished("a.mp4", 7)?.details).toEqual({ year: 1999, hot: true });
    expect(unfinished("a.mp4", 8)).toBeUndefined();
    remember({ ...upload, arrived: true });
    expect(unfinished("a.mp4", 7)).toBeUndefined();
  });
});
