/** The statistics panel's lines, as a person who reports a fault copies them. Pure. No token: of an address the host alone. */

import { clock } from "../domain/format";
import type { StreamFacts } from "./media/contract";

export interface Playing {
  title: string;
  movieId: string;
  position: number;
  bufferedTo: number;
  rate: number;
  droppedFrames: number | null;
  totalFrames: number | null;
  /** The viewer has chosen the quality. */
  chosen: boolean;
}

const UNKNOWN = "not known";

export function bitRate(bitsPerSecond: number | null): string {
  if (bitsPerSecond === null || !Number.isFinite(bitsPerSecond)) return UNKNOWN;
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(bitsPerSecond >= 1e8 ? 0 : 2)} Mbit/s`;
  return `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
}

export function hostOf(url: string | null): string {
  try {
    return url === null ? UNKNOWN : new URL(url).host || UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

export function statsRows(facts: StreamFacts, playing: Playing): [string, string][] {
  const { width, height, frameRate } = facts;
  const rung = width === null || height === null ? UNKNOWN : `${Math.min(width, height)}p (${width} × ${height})`;
  const frames = frameRate === null ? "" : `, ${Number(frameRate.toFixed(3))} frames/s`;
  const dropped = playing.droppedFrames === null ? UNKNOWN : `${playing.droppedFrames} of ${playing.totalFrames ?? 0}`;
  return [
    ["Title", `${playing.title} (${playing.movieId})`],
    ["Position", `${clock(playing.position)}, speed ${playing.rate}×`],
    ["Quality", `${rung}${frames}, ${playing.chosen ? "chosen" : "automatic"}`],
    ["Codecs", facts.codecs ?? UNKNOWN],
    ["Codec choice", facts.codecChoice ?? UNKNOWN],
    ["Bitrate", bitRate(facts.bitsPerSecond)],
    ["Bandwidth", bitRate(facts.estimateBitsPerSecond)],
    ["Buffered ahead", `${Math.max(0, playing.bufferedTo - playing.position).toFixed(1)} s`],
    ["Dropped frames", dropped],
    ["Edge", hostOf(facts.url)],
    ["Player", facts.engine],
  ];
}

export function statsText(rows: readonly [string, string][]): string {
  return rows.map(([name, value]) => `${name}: ${value}`).join("\n");
}
