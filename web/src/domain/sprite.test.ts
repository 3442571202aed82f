import { describe, expect, it } from "vitest";
import { readTiles, tileAt } from "./sprite";

const VTT = `WEBVTT

00:00.000 --> 00:05.000
sprite.jpg#xywh=0,0,160,90

2
00:00:05.000 --> 00:00:10.000
sprite.jpg#xywh=160,0,160,90

NOTE a cue without a picture is left out

01:00:00.000 --> 01:00:05.000
nothing here
`;

describe("scrub previews", () => {
  const tiles = readTiles(VTT, "http://edge.test/images/m_1/v1/sprite.vtt");

  it("reads tiles with and without hours and resolves their picture", () => {
    expect(tiles).toHaveLength(2);
    expect(tiles[1]).toEqual({
      startSeconds: 5,
      endSeconds: 10,
      url: "http://edge.test/images/m_1/v1/sprite.jpg",
      x: 160,
      y: 0,
      width: 160,
      height: 90,
    });
  });
  it("finds the tile of a moment, clamped at both ends", () => {
    expect(tileAt(tiles, 0)?.x).toBe(0);
    expect(tileAt(tiles, 4.99)?.x).toBe(0);
    expect(tileAt(tiles, 5)?.x).toBe(160);
    expect(tileAt(tiles, 999)?.x).toBe(160);
    expect(tileAt([], 1)).toBeUndefined();
  });
});
