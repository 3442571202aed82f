/** What hls.js has of a film, as the player's menus: qualities, audio tracks, subtitles. */

import type Hls from "hls.js";
import { language } from "../../domain/format";
import type { Choices } from "./contract";

export function hlsChoices(hls: Hls): Choices {
  const lines = (level: { height: number; width: number }) => Math.min(level.height, level.width) || level.height;
  // hls.js lists each quality once for each group of audio tracks (stereo, surround). Show those of the present group.
  const group = hls.audioTracks[hls.audioTrack]?.groupId;
  const heard = hls.levels.some((level) => level.hasAudioGroup(group));
  const shown = hls.levels
    .map((level, id) => ({ id, lines: lines(level), bitrate: level.bitrate, heard: level.hasAudioGroup(group) }))
    .filter((one) => one.heard || !heard)
    .sort((a, b) => b.lines - a.lines || b.bitrate - a.bitrate);
  const qualities = shown.map(({ id, lines: count, bitrate }) => {
    const twice = shown.filter((other) => other.lines === count).length > 1;
    const label = twice ? `${count}p · ${(bitrate / 1e6).toFixed(1)} Mbit/s` : `${count}p`;
    return { id, label, language: null };
  });
  const current = hls.levels[hls.currentLevel];
  const manual = hls.levels[hls.manualLevel];
  const chosen = manual && shown.find((one) => one.id === hls.manualLevel || one.lines === lines(manual));
  return {
    qualities,
    quality: chosen?.id ?? -1,
    playing: current === undefined ? null : `${lines(current)}p`,
    audios: hls.audioTracks.map((track, id) => ({
      id,
      label: track.name || language(track.lang),
      language: track.lang ?? null,
    })),
    audio: hls.audioTrack,
    subtitles: hls.subtitleTracks.map((track, id) => ({
      id,
      label: track.name || language(track.lang),
      language: track.lang ?? null,
    })),
    subtitle: hls.subtitleTrack,
  };
}
