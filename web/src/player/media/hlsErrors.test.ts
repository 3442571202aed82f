import type Hls from "hls.js";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { DEFAULTS } from "../preferences";
import { handleErrors, type Errors } from "./hlsErrors";

vi.useFakeTimers();
vi.stubGlobal("window", Object.assign(new EventTarget(), { setInterval, setTimeout, clearInterval, clearTimeout }));
vi.stubGlobal("document", { hidden: false });
vi.stubGlobal("navigator", { onLine: true });
vi.stubGlobal("HTMLMediaElement", { HAVE_CURRENT_DATA: 2, HAVE_FUTURE_DATA: 3 });
vi.stubGlobal("XMLHttpRequest", class {});

/** The parts of hls.js that the errors need: events are named after themselves. */
const names = new Proxy({}, { get: (_target, name) => name });
const Engine = { Events: names, ErrorDetails: names, ErrorTypes: names } as unknown as typeof Hls;

class Stream {
  subtitleTrack = 0;
  audioTrack = 0;
  audioTracks = [{ name: "English" }, { name: "Français" }];
  levels = [{}];
  url = "film";
  config = {};
  manualLevel = -1;
  once = vi.fn();
  loadSource = vi.fn();
  startLoad = vi.fn();
  stopLoad = vi.fn();
  recoverMediaError = vi.fn();
  private readonly listeners: [string, (event: string, data: unknown) => void][] = [];
  on(event: string, listener: (event: string, data: unknown) => void): void {
    this.listeners.push([event, listener]);
  }
  emit(event: string, data: unknown): void {
    for (const [name, listener] of this.listeners) if (name === event) listener(event, data);
  }
}

class Video extends EventTarget {
  paused = false;
  ended = false;
  seeking = false;
  error = null;
  readyState = 0;
  currentTime = 7;
  buffered = [];
  play = vi.fn(() => Promise.resolve());
}

let stream: Stream;
let video: Video;
let errors: Errors;
const chooseSubtitle = vi.fn((id: number) => void (stream.subtitleTrack = id));
const failed = vi.fn();
const codec = {
  canFallBack: false,
  fallBack: () => {
    const could = codec.canFallBack;
    codec.canFallBack = false;
    return could;
  },
};
const failingSubtitle = { type: "NETWORK_ERROR", details: "subtitleLoadError", fatal: true, response: { code: 503 }, networkDetails: null };
const noPart = { type: "OTHER_ERROR", details: "x", fatal: true, networkDetails: null };
const noDecoder = { type: "MEDIA_ERROR", details: "x", fatal: true, networkDetails: null };

beforeEach(() => {
  [stream, video] = [new Stream(), new Video()];
  for (const each of [chooseSubtitle, failed]) each.mockClear();
  const owner = {
    choices: () => undefined,
    failed,
    fault: vi.fn(),
    shown: vi.fn(),
    sessionId: "v_1",
    note: vi.fn(),
    waits: vi.fn(),
    position: () => 7,
    liked: DEFAULTS,
    renew: async () => "fresh",
  };
  codec.canFallBack = false;
  const hooks = { restarting: () => undefined, chooseSubtitle, codec, withQuery: (url: string) => url };
  errors = handleErrors(Engine, stream as unknown as Hls, video as unknown as HTMLVideoElement, owner, hooks);
  return () => errors.close();
});

describe("subtitles that fail", () => {
  it("are turned off, and on again after a pause", () => {
    stream.emit("ERROR", failingSubtitle);
    expect(chooseSubtitle.mock.calls).toEqual([[-1]]);
    expect(stream.startLoad).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(2000);
    expect(chooseSubtitle.mock.calls).toEqual([[-1], [0]]);
  });
  it("are not turned on again against what the viewer chose meanwhile", () => {
    stream.emit("ERROR", failingSubtitle);
    errors.subtitleChosen();
    vi.advanceTimersByTime(60_000);
    expect(chooseSubtitle.mock.calls).toEqual([[-1]]);
  });
  it("load nothing behind the words of a film that stopped", () => {
    stream.emit("ERROR", failingSubtitle);
    stream.startLoad.mockClear();
    stream.emit("ERROR", noPart);
    vi.advanceTimersByTime(30_000);
    expect(failed).toHaveBeenCalledOnce();
    chooseSubtitle.mockClear();
    stream.emit("ERROR", failingSubtitle);
    vi.advanceTimersByTime(60_000);
    expect(chooseSubtitle).not.toHaveBeenCalled();
    expect(stream.startLoad).not.toHaveBeenCalled();
  });
  it("are left alone once the stream is closed", () => {
    stream.emit("ERROR", failingSubtitle);
    errors.close();
    vi.advanceTimersByTime(60_000);
    expect(chooseSubtitle.mock.calls).toEqual([[-1]]);
  });
});

describe("a codec that cannot be decoded", () => {
  it.each(["x", "bufferAddCodecError"])("is left for H.264: everything is loaded again (%s)", (details) => {
    codec.canFallBack = true;
    stream.emit("ERROR", { ...noDecoder, details });
    vi.advanceTimersByTime(2000);
    expect(stream.loadSource).toHaveBeenCalledOnce();
    expect(stream.recoverMediaError).not.toHaveBeenCalled();
    expect(failed).not.toHaveBeenCalled();
  });
});

describe("an element with a new decoder", () => {
  const mended = () => {
    stream.emit("ERROR", noDecoder);
    vi.advanceTimersByTime(2000);
    expect(stream.recoverMediaError).toHaveBeenCalledOnce();
  };
  it("plays once something is there", () => {
    mended();
    video.dispatchEvent(new Event("loadedmetadata"));
    expect(video.play).toHaveBeenCalledOnce();
  });
  it("does not play what another stream loads after this one is closed", () => {
    mended();
    errors.close();
    video.dispatchEvent(new Event("loadedmetadata"));
    expect(video.play).not.toHaveBeenCalled();
  });
});
