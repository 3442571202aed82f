/** Scrub previews: the picture and the rectangle that show a moment. Reads WebVTT with `#xywh=` fragments. Pure. */

export interface Tile {
  startSeconds: number;
  endSeconds: number;
  url: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const TIMING = /^(?:(\d+):)?(\d{2}):(\d{2}\.\d{3})\s+-->\s+(?:(\d+):)?(\d{2}):(\d{2}\.\d{3})/;
const FRAGMENT = /^(.*)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/;

function seconds(h: string | undefined, m: string, s: string): number {
  return Number(h ?? 0) * 3600 + Number(m) * 60 + Number(s);
}

/** The tiles of a sprite's WebVTT, in order. Picture URLs are relative to the WebVTT's URL. Bad cues are left out. */
export function readTiles(vtt: string, vttUrl: string): Tile[] {
  const tiles: Tile[] = [];
  for (const block of vtt.replace(/\r\n?/g, "\n").split(/\n{2,}/)) {
    const lines = block.split("\n");
    const at = lines.findIndex((line) => TIMING.test(line));
    const timing = TIMING.exec(lines[at] ?? "");
    const place = FRAGMENT.exec((lines[at + 1] ?? "").trim());
    if (!timing || !place) continue;
    const [, h1, m1, s1, h2, m2, s2] = timing;
    tiles.push({
      startSeconds: seconds(h1, m1!, s1!),
      endSeconds: seconds(h2, m2!, s2!),
      url: new URL(place[1]!, vttUrl).href,
      x: Number(place[2]),
      y: Number(place[3]),
      width: Number(place[4]),
      height: Number(place[5]),
    });
  }
  return tiles.sort((a, b) => a.startSeconds - b.startSeconds);
}

/** The tile of a moment: the last tile that starts at or before it. */
export function tileAt(tiles: readonly Tile[], moment: number): Tile | undefined {
  let low = 0;
  let high = tiles.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (tiles[middle]!.startSeconds <= moment) low = middle;
    else high = middle - 1;
  }
  return tiles[low];
}
