import type Hls from "hls.js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { castBySource, watchRemote } from "./remotePlayback";

const settle = () => new Promise((resolve) => setTimeout(resolve));

/** A video element with the Remote Playback API. */
class Video extends EventTarget {
  tell: (available: boolean) => void = () => undefined;
  cancelled: number[] = [];
  remote = Object.assign(new EventTarget(), {
    state: "disconnected",
    watchAvailability: (tell: (available: boolean) => void) => {
      this.tell = tell;
      return Promise.resolve(7);
    },
    cancelWatchAvailability: (id: number) => {
      this.cancelled.push(id);
      return Promise.resolve();
    },
  });
}

describe("another screen", () => {
  const watched = (video: object) => {
    const changed = vi.fn();
    return { changed, close: watchRemote(video as HTMLVideoElement, changed) };
  };

  it("is offered while one can be reached, and known to play", async () => {
    const video = new Video();
    const { changed, close } = watched(video);
    await settle();
    expect(changed).not.toHaveBeenCalled();
    video.tell(true);
    expect(changed).toHaveBeenLastCalledWith({ available: true, connected: false });
    video.remote.state = "connected";
    video.remote.dispatchEvent(new Event("connect"));
    expect(changed).toHaveBeenLastCalledWith({ available: true, connected: true });
    close();
    expect(video.cancelled).toEqual([7]);
    video.tell(false);
    expect(changed).toHaveBeenCalledTimes(2);
  });
  it("is not watched any more if the player is left before the browser answers", async () => {
    const video = new Video();
    watched(video).close();
    await settle();
    expect(video.cancelled).toEqual([7]);
  });
  it("is not offered where the browser refuses to look for one", async () => {
    const video = new Video();
    video.remote.watchAvailability = () => Promise.reject(new DOMException("disabled", "InvalidStateError"));
    const { changed } = watched(video);
    await settle();
    expect(changed).toHaveBeenLastCalledWith({ available: false, connected: false });
  });
  it("is not looked for without an API", () => expect(watched(new EventTarget()).changed).not.toHaveBeenCalled());

  it("is Safari's AirPlay too", () => {
    const video = Object.assign(new EventTarget(), { webkitShowPlaybackTargetPicker: () => undefined });
    const { changed } = watched(video);
    const event = Object.assign(new Event("webkitplaybacktargetavailabilitychanged"), { availability: "available" });
    video.dispatchEvent(event);
    expect(changed).toHaveBeenLastCalledWith({ available: true, connected: false });
  });
});

describe("a film by Media Source Extensions", () => {
  afterEach(() => vi.unstubAllGlobals());
  const attach = (sources: object[]) => {
    const appended: object[] = [];
    const video = { disableRemotePlayback: false, querySelector: () => sources[0] ?? null, append: (one: object) => appended.push(one) };
    const listeners: Record<string, () => void> = {};
    const hls = { url: "https://edge/v/master.m3u8", on: (name: string, listener: () => void) => (listeners[name] = listener) };
    const Engine = { Events: { MEDIA_ATTACHING: "attaching", MEDIA_ATTACHED: "attached" } };
    castBySource(Engine as unknown as typeof Hls, hls as unknown as Hls, video as unknown as HTMLVideoElement);
    listeners["attaching"]!();
    const whileOpening = video.disableRemotePlayback;
    listeners["attached"]!();
    return { whileOpening, after: video.disableRemotePlayback, appended };
  };

  it("is not offered to other screens, which could not fetch it", () => {
    expect(attach([])).toEqual({ whileOpening: true, after: true, appended: [] });
  });
  it("has its playlist beside it for AirPlay once a Managed Media Source is open", () => {
    vi.stubGlobal("document", { createElement: () => ({}) });
    expect(attach([{}])).toEqual({
      whileOpening: true,
      after: false,
      appended: [{ type: "application/vnd.apple.mpegurl", src: "https://edge/v/master.m3u8" }],
    });
  });
});
