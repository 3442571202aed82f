import { describe, expect, it, vi } from "vitest";
import { DEFAULTS } from "../preferences";
import type { MediaOwner } from "./contract";
import { openMedia } from "./open";

vi.mock("hls.js", () => ({ default: { isSupported: () => false } }));

const page = Object.assign(new EventTarget(), { setInterval: () => 0, setTimeout, clearInterval, clearTimeout });
vi.stubGlobal("window", page);
vi.stubGlobal("HTMLMediaElement", { HAVE_CURRENT_DATA: 2, HAVE_FUTURE_DATA: 3 });
vi.stubGlobal("MediaError", { MEDIA_ERR_DECODE: 3 });

/** The parts of a video element that the browser's own HLS needs. */
class Video extends EventTarget {
  src = "";
  paused = false;
  currentTime = 0;
  buffered = [];
  error = null;
  textTracks = Object.assign(new EventTarget(), { *[Symbol.iterator]() {} });
  play = vi.fn(() => Promise.resolve());
  load = vi.fn();
  canPlayType = () => "maybe";
  removeAttribute = () => void (this.src = "");
}

const settle = () => new Promise((resolve) => setTimeout(resolve));
const owner = (renew: () => Promise<string>): MediaOwner => ({
  choices: () => undefined,
  failed: vi.fn(),
  fault: vi.fn(),
  shown: vi.fn(),
  sessionId: "v_1",
  note: vi.fn(),
  waits: vi.fn(),
  position: () => 42,
  liked: DEFAULTS,
  renew,
});
const open = async (renew: () => Promise<string>) => {
  const video = new Video();
  const media = await openMedia(video as unknown as HTMLVideoElement, "old", 0, owner(renew));
  return { video, media };
};

describe("the browser's own HLS, when its address has ended", () => {
  it("plays on at the same place by a fresh one", async () => {
    const { video } = await open(async () => "fresh");
    video.dispatchEvent(new Event("error"));
    await vi.waitFor(() => expect(video.src).toBe("fresh"));
    video.dispatchEvent(new Event("loadedmetadata"));
    expect(video.currentTime).toBe(42);
    expect(video.play).toHaveBeenCalledOnce();
  });
  it("leaves an element alone that it was closed on meanwhile", async () => {
    let answer: (url: string) => void = () => undefined;
    const renew = vi.fn(() => new Promise<string>((resolve) => (answer = resolve)));
    const { video, media } = await open(renew);
    video.dispatchEvent(new Event("error"));
    await vi.waitFor(() => expect(renew).toHaveBeenCalled());
    media.close();
    video.src = "the next film";
    answer("fresh");
    await settle();
    expect(video.src).toBe("the next film");
  });
});
