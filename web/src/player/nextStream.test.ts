import { beforeEach, describe, expect, it, vi } from "vitest";

const calls = vi.hoisted(() => ({ stream: vi.fn(), profile: "p1" }));
vi.mock("../api/calls", () => ({ stream: calls.stream }));
vi.mock("../api/session", () => ({ who: () => ({ profileId: calls.profile }) }));
const { askStream, takeStream } = await import("./nextStream");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  calls.profile = "p1";
  calls.stream.mockReset();
  calls.stream.mockImplementation((movieId: string) => Promise.resolve({ movie_id: movieId, n: calls.stream.mock.calls.length }));
});

describe("the stream that the title's page asked for", () => {
  it("is the one that plays, once", async () => {
    await askStream("a");
    expect(await takeStream("a")).toMatchObject({ n: 1 });
    expect(await takeStream("a")).toMatchObject({ n: 2 });
  });
  it("is asked for anew after a minute, for another film, and for another profile", async () => {
    await askStream("a");
    vi.advanceTimersByTime(61_000);
    expect(await takeStream("a")).toMatchObject({ n: 2 });
    await askStream("a");
    expect(await takeStream("b")).toMatchObject({ movie_id: "b", n: 4 });
    await askStream("a");
    calls.profile = "p2";
    expect(await takeStream("a")).toMatchObject({ n: 6 });
  });
  it("is asked for anew if the first request failed", async () => {
    calls.stream.mockRejectedValueOnce(new Error("503"));
    await askStream("a").catch(() => undefined);
    expect(await takeStream("a")).toMatchObject({ movie_id: "a" });
  });
});
