/**
 * The stream of the video element: hls.js if the browser has Media Source Extensions, else the browser's own HLS.
 * Owns the choice of quality, audio and subtitles, and recovery. If a stream URL has expired or an edge is down, it gets a
 * fresh URL from the API and continues at the same position. It recovers a decoder error in place, at most twice.
 *
 * hls.js runs without its worker: CMAF segments need no remuxing, and the page's policy need not allow a blob: worker.
 */

import type Hls from "hls.js";
import type { ErrorData, HlsConfig } from "hls.js";
import { language } from "../domain/format";
import { CueStore } from "./cues";

export interface Choice {
  id: number;
  label: string;
  language: string | null;
}

export interface Choices {
  qualities: Choice[];
  /** -1: automatic. */
  quality: number;
  /** The quality that plays now, if the choice is automatic. */
  playing: string | null;
  audios: Choice[];
  audio: number;
  subtitles: Choice[];
  /** -1: off. */
  subtitle: number;
}

export const NO_CHOICES: Choices = {
  qualities: [],
  quality: -1,
  playing: null,
  audios: [],
  audio: -1,
  subtitles: [],
  subtitle: -1,
};

/** What the stream needs from the player. */
export interface MediaOwner {
  choices: (choices: Choices) => void;
  failed: (message: string) => void;
  /** The viewer's position, also while the element has nothing loaded. */
  position: () => number;
  /** Languages that the viewer chose earlier. Without a choice subtitles are off and audio is the film's default. */
  liked: { subtitles: string | null; audio: string | null };
  /** Get a fresh stream URL after the old one stopped working. */
  renew: () => Promise<string>;
}

export interface Media {
  chooseQuality(id: number): void;
  chooseAudio(id: number): void;
  chooseSubtitle(id: number): void;
  close(): void;
}

const LOST = "The film cannot be loaded at the moment. Check the connection and try again.";
const UNPLAYABLE = "This browser cannot play this film.";
/** A new stream URL is requested at most this often. An error in between is shown, and the viewer may retry. */
const RENEW_EVERY_MS = 15_000;

export async function openMedia(
  video: HTMLVideoElement,
  url: string,
  startSeconds: number,
  owner: MediaOwner,
): Promise<Media> {
  const { default: Engine } = await import("hls.js");
  if (Engine.isSupported()) return openHls(Engine, video, url, startSeconds, owner);
  if (video.canPlayType("application/vnd.apple.mpegurl") !== "") return openNative(video, url, startSeconds, owner);
  throw new Error(UNPLAYABLE);
}

function openHls(
  Engine: typeof Hls,
  video: HTMLVideoElement,
  url: string,
  startSeconds: number,
  owner: MediaOwner,
): Media {
  const config: Partial<HlsConfig> = {
    enableWorker: false,
    startPosition: startSeconds > 0 ? startSeconds : -1,
    capLevelToPlayerSize: true,
    maxBufferLength: 30,
    backBufferLength: 60,
    enableCEA708Captions: false,
    // The player keeps and draws the cues: hls.js's own track elements load a data: URL, which the page's policy forbids.
    renderTextTracksNatively: false,
    ...(owner.liked.audio === null ? {} : { audioPreference: { lang: owner.liked.audio } }),
    // The first estimate. Most connections are fast enough for a good rung from the first segment on.
    abrEwmaDefaultEstimate: 4_000_000,
  };
  const hls = new Engine(config);
  const cues = new CueStore(video);
  let renewedAt = Number.NEGATIVE_INFINITY;
  let mediaErrors = 0;
  let closed = false;

  const report = () => owner.choices(hlsChoices(hls));
  const { Events, ErrorTypes } = Engine;
  // hls.js turns a film's default subtitles on after it has reported the tracks. The viewer's choice overrides that.
  let wanted: number | null = null;
  const insist = () => {
    if (wanted === null && hls.subtitleTracks.length > 0) {
      wanted = hls.subtitleTracks.findIndex((track) => track.lang === owner.liked.subtitles);
    }
    if (wanted !== null && hls.subtitleTrack !== wanted) hls.subtitleTrack = wanted;
  };
  hls.on(Events.SUBTITLE_TRACKS_UPDATED, () => queueMicrotask(insist));
  hls.on(Events.SUBTITLE_TRACK_SWITCH, () => queueMicrotask(insist));
  for (const event of [
    Events.MANIFEST_PARSED,
    Events.LEVEL_SWITCHED,
    Events.AUDIO_TRACKS_UPDATED,
    Events.AUDIO_TRACK_SWITCHED,
    Events.SUBTITLE_TRACKS_UPDATED,
    Events.SUBTITLE_TRACK_SWITCH,
  ] as const) {
    hls.on(event, report);
  }
  hls.on(Events.CUES_PARSED, (_event, data) => {
    if (data.type === "subtitles") cues.add(data.subtitleTrack?.id ?? hls.subtitleTrack, data.cues as VTTCue[]);
  });
  hls.on(Events.SUBTITLE_TRACK_SWITCH, (_event, data) => cues.show(data.id));

  const renew = async () => {
    if (performance.now() - renewedAt < RENEW_EVERY_MS) {
      hls.stopLoad();
      owner.failed(LOST);
      return;
    }
    renewedAt = performance.now();
    try {
      const fresh = await owner.renew();
      if (closed) return;
      const { audioTrack } = hls;
      const position = owner.position();
      const wasPlaying = !video.paused;
      hls.config.startPosition = position;
      hls.once(Events.MANIFEST_PARSED, () => {
        hls.startLoad(position);
        if (audioTrack >= 0) hls.audioTrack = audioTrack;
        if (wasPlaying) void video.play().catch(() => undefined);
      });
      cues.clear();
      hls.loadSource(fresh);
    } catch (error) {
      if (!closed) owner.failed(error instanceof Error ? error.message : LOST);
    }
  };

  hls.on(Events.ERROR, (_event, data: ErrorData) => {
    const status = data.response?.code;
    const refused = status === 403 || status === 410;
    if (data.type === ErrorTypes.NETWORK_ERROR && (data.fatal || refused)) {
      if (refused && performance.now() - renewedAt < 2000) return; // late answers to requests from before the URL changed
      void renew();
    } else if (data.fatal && data.type === ErrorTypes.MEDIA_ERROR && mediaErrors < 2) {
      mediaErrors += 1;
      hls.recoverMediaError();
    } else if (data.fatal) {
      owner.failed(UNPLAYABLE);
    }
  });

  hls.loadSource(url);
  hls.attachMedia(video);
  return {
    chooseQuality(id) {
      hls.nextLevel = id;
      report();
    },
    chooseAudio(id) {
      hls.audioTrack = id;
      report();
    },
    chooseSubtitle(id) {
      wanted = id;
      hls.subtitleTrack = id;
      cues.show(id);
      report();
    },
    close() {
      closed = true;
      cues.clear();
      hls.destroy();
    },
  };
}

function hlsChoices(hls: Hls): Choices {
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

/** Safari on iPhones: the browser chooses the quality, and subtitles are its own text tracks. */
function openNative(video: HTMLVideoElement, url: string, startSeconds: number, owner: MediaOwner): Media {
  let renewed = false;
  let closed = false;
  let wasPlaying = false;
  let position = startSeconds;
  const tracks = () => [...video.textTracks].filter((t) => t.kind === "subtitles" || t.kind === "captions");
  const report = () => {
    const texts = tracks();
    owner.choices({
      ...NO_CHOICES,
      subtitles: texts.map((t, id) => ({ id, label: t.label || language(t.language), language: t.language || null })),
      subtitle: texts.findIndex((t) => t.mode !== "disabled"),
    });
  };
  const onMetadata = () => {
    if (position > 0) video.currentTime = position;
    if (wasPlaying) void video.play().catch(() => undefined); // the change of URL paused it
    wasPlaying = false;
    for (const track of tracks()) track.mode = track.language === owner.liked.subtitles ? "hidden" : "disabled";
    report();
  };
  const onError = () => {
    if (renewed) {
      owner.failed(video.error?.code === MediaError.MEDIA_ERR_NETWORK ? LOST : UNPLAYABLE);
      return;
    }
    renewed = true;
    position = owner.position();
    wasPlaying = !video.paused;
    owner.renew().then(
      (fresh) => {
        if (!closed) video.src = fresh;
      },
      (error: unknown) => closed || owner.failed(error instanceof Error ? error.message : LOST),
    );
  };
  video.addEventListener("loadedmetadata", onMetadata);
  video.addEventListener("error", onError);
  video.textTracks.addEventListener("addtrack", report);
  video.src = url;
  return {
    chooseQuality: () => undefined,
    chooseAudio: () => undefined,
    chooseSubtitle(id) {
      tracks().forEach((track, at) => (track.mode = at === id ? "hidden" : "disabled"));
      report();
    },
    close() {
      closed = true;
      video.removeEventListener("loadedmetadata", onMetadata);
      video.removeEventListener("error", onError);
      video.textTracks.removeEventListener("addtrack", report);
      video.removeAttribute("src");
      video.load();
    },
  };
}
