import { describe, expect, it } from "vitest";
import type { StreamFacts } from "./media/contract";
import { bitRate, hostOf, statsRows, statsText } from "./stats";

const facts: StreamFacts = {
  engine: "hls.js 1.7.4",
  width: 1280,
  height: 720,
  frameRate: 23.976,
  codecs: "avc1.64001f, mp4a.40.2",
  codecChoice: "H.264, the only one",
  bitsPerSecond: 2_104_000,
  estimateBitsPerSecond: 480_400,
  url: "https://edge-1.example:8443/v/SECRET/1/m/v1/video/720p/index.m3u8",
};
const playing = {
  title: "A film",
  movieId: "m1",
  position: 65,
  bufferedTo: 89.25,
  rate: 1.5,
  droppedFrames: 3,
  totalFrames: 900,
  chosen: false,
};

describe("statistics", () => {
  it("say what plays, and name the edge without its token", () => {
    const text = statsText(statsRows(facts, playing));
    expect(text).toBe(
      [
        "Title: A film (m1)",
        "Position: 1:05, speed 1.5×",
        "Quality: 720p (1280 × 720), 23.976 frames/s, automatic",
        "Codecs: avc1.64001f, mp4a.40.2",
        "Codec choice: H.264, the only one",
        "Bitrate: 2.10 Mbit/s",
        "Bandwidth: 480 kbit/s",
        "Buffered ahead: 24.3 s",
        "Dropped frames: 3 of 900",
        "Edge: edge-1.example:8443",
        "Player: hls.js 1.7.4",
      ].join("\n"),
    );
    expect(text).not.toContain("SECRET");
  });
  it("say what is not known", () => {
    const nothing = Object.fromEntries(Object.keys(facts).map((name) => [name, null])) as unknown as StreamFacts;
    const rows = statsRows({ ...nothing, engine: "x" }, { ...playing, droppedFrames: null, bufferedTo: 0 });
    expect(Object.fromEntries(rows)).toMatchObject({ Codecs: "not known", Edge: "not known", "Buffered ahead": "0.0 s" });
    expect([bitRate(null), bitRate(Number.NaN), bitRate(2.5e8)]).toEqual(["not known", "not known", "250 Mbit/s"]);
    expect([hostOf("blob:null/1"), hostOf("no address")]).toEqual(["not known", "not known"]);
  });
});
