/** What hls.js has of a film, as the player's menus: qualities, sound, audio tracks, subtitles; and what a viewer liked among them. */

import type Hls from "hls.js";
import type { Level, MediaPlaylist } from "hls.js";
import { language } from "../../domain/format";
import type { Choice, Choices, Quality, StreamFacts } from "./contract";
import { SOUNDS, soundLabel, type FilteredMaster } from "./sound";

/** Stored for a track that names no language. */
export const UNKNOWN_LANGUAGE = "und";

const linesOf = (level: Pick<Level, "width" | "height">) => Math.min(level.height, level.width) || level.height;

/** The rung with the nearest number of lines; of two as near, the lower one. -1: there is none. */
export function nearestLines(rungs: readonly number[], liked: number): number {
  let best = -1;
  rungs.forEach((lines, at) => {
    const apart = Math.abs(lines - liked);
    const least = best < 0 ? Number.POSITIVE_INFINITY : Math.abs(rungs[best]! - liked);
    if (apart < least || (apart === least && lines < rungs[best]!)) best = at;
  });
  return best;
}

/** The level that a quality in lines means: of several with the nearest lines, the best one. -1: there is none. */
export function levelOf(levels: readonly Pick<Level, "width" | "height" | "bitrate">[], liked: number): number {
  const nearest = levels[nearestLines(levels.map(linesOf), liked)];
  if (nearest === undefined) return -1;
  let best = -1;
  levels.forEach((level, at) => {
    if (linesOf(level) === linesOf(nearest) && (best < 0 || level.bitrate > levels[best]!.bitrate)) best = at;
  });
  return best;
}

/**
 * The track that a viewer who liked this language gets: the same language, else one of the same language elsewhere (`pt` for
 * `pt-BR`); among these one that is made for the same viewers (descriptions, subtitles for the deaf). -1: there is none.
 */
export function likedTrack(
  tracks: readonly { language: string | null; accessible?: boolean }[],
  liked: string | null,
  accessible: boolean,
): number {
  if (liked === null) return -1;
  const base = (tag: string) => tag.toLowerCase().split("-")[0];
  let best = -1;
  let mark = 0;
  tracks.forEach((track, at) => {
    const tag = track.language ?? UNKNOWN_LANGUAGE;
    if (base(tag) !== base(liked)) return;
    const found = 1 + (tag.toLowerCase() === liked.toLowerCase() ? 2 : 0) + ((track.accessible ?? false) === accessible ? 1 : 0);
    if (found > mark) [best, mark] = [at, found];
  });
  return best;
}

function tracksOf(playlists: readonly MediaPlaylist[]): Choice[] {
  return playlists.map((track, id) => ({
    id,
    label: track.name || language(track.lang),
    language: track.lang ?? null,
    accessible: track.characteristics?.includes("public.accessibility.") ?? false,
  }));
}

/**
 * The rungs, the best one first. A rung is a picture's playlist: of its variants, which differ in their sound, the menu has the one
 * with the most bits.
 */
export function qualitiesOf(levels: readonly Pick<Level, "width" | "height" | "bitrate" | "uri">[]): Quality[] {
  const variants = levels
    .map((level, id) => ({ id, lines: linesOf(level), bitrate: level.bitrate, uri: level.uri }))
    .sort((a, b) => b.lines - a.lines || b.bitrate - a.bitrate);
  const rungs = variants.filter(({ uri }, at) => variants.findIndex((other) => other.uri === uri) === at);
  return rungs.map(({ id, lines, bitrate }) => {
    const twice = rungs.filter((other) => other.lines === lines).length > 1;
    const label = twice ? `${lines}p · ${(bitrate / 1e6).toFixed(1)} Mbit/s` : `${lines}p`;
    return { id, label, language: null, lines };
  });
}

/** `limit`: the quality that the viewer chose, in lines; null: automatic. */
export function hlsChoices(hls: Hls, limit: number | null, sound: FilteredMaster): Choices {
  const current = hls.levels[hls.currentLevel];
  return {
    qualities: qualitiesOf(hls.levels),
    quality: hls.manualLevel >= 0 ? hls.manualLevel : limit === null ? -1 : levelOf(hls.levels, limit),
    playing: current === undefined ? null : `${linesOf(current)}p`,
    sounds: SOUNDS.flatMap((one) => {
      const channels = sound.channels[one];
      return channels === undefined ? [] : [{ sound: one, label: soundLabel(one, channels) }];
    }),
    sound: sound.sound,
    audios: tracksOf(hls.audioTracks),
    audio: hls.audioTrack,
    subtitles: tracksOf(hls.subtitleTracks),
    subtitle: hls.subtitleTrack,
  };
}

export function hlsFacts(hls: Hls, version: string): Omit<StreamFacts, "codecChoice"> {
  const level = hls.levels[hls.currentLevel];
  const audio = hls.audioTracks[hls.audioTrack];
  const codecs = [level?.videoCodec, audio?.audioCodec ?? level?.audioCodec].filter(Boolean).join(", ");
  const estimate = hls.bandwidthEstimate;
  return {
    engine: `hls.js ${version}`,
    width: level?.width ?? null,
    height: level?.height ?? null,
    frameRate: level?.frameRate || null,
    codecs: codecs || null,
    bitsPerSecond: level?.averageBitrate ?? null,
    estimateBitsPerSecond: Number.isFinite(estimate) ? estimate : null,
    url: level?.uri ?? hls.url,
  };
}
