/**
 * A stream by the browser's own HLS (Safari on iPhones): the browser chooses the quality, and subtitles are its own text tracks.
 * If the stream URL stops working, a fresh one is asked for, and the film goes on at the same position (`recovery.ts`).
 */

import { language } from "../../domain/format";
import { likedTrack } from "./choices";
import { NO_CHOICES, type Media, type MediaOwner } from "./contract";
import { Recovery } from "./recovery";

export function openNative(video: HTMLVideoElement, url: string, startSeconds: number, owner: MediaOwner): Media {
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
    const { subtitles, subtitlesAccessible } = owner.liked;
    const texts = tracks().map((track) => ({ language: track.language || null, accessible: track.kind === "captions" }));
    const liked = likedTrack(texts, subtitles, subtitlesAccessible);
    tracks().forEach((track, at) => (track.mode = at === liked ? "hidden" : "disabled"));
    report();
  };
  const load = (fresh: string, play: boolean) => {
    position = owner.position();
    wasPlaying = play;
    video.src = fresh;
  };
  let arrived = 0;
  const onProgress = () => void (arrived += 1);
  const recovery = new Recovery(video, owner, {
    preloads: false, // an iPhone loads nothing before the viewer presses play
    arrived: () => arrived,
    stop: () => undefined, // the element has stopped by itself
    resume: () => load(video.src, !video.paused),
    restart: (fresh, _whole, play) => load(fresh, play),
    mend: (play) => load(video.src, play),
  });
  const onResize = () => owner.shown(video.videoHeight, null);
  const onError = () => {
    // The element does not say which status an address was answered with: an address that ended, and a film that it cannot read, look alike.
    recovery.fault(video.error?.code === MediaError.MEDIA_ERR_DECODE ? "undecodable" : "unreachable");
  };
  video.addEventListener("progress", onProgress);
  video.addEventListener("loadedmetadata", onMetadata);
  video.addEventListener("error", onError);
  video.addEventListener("resize", onResize);
  video.textTracks.addEventListener("addtrack", report);
  video.src = url;
  return {
    engine: "native",
    chooseQuality: () => undefined,
    chooseAudio: () => undefined,
    chooseSubtitle(id) {
      tracks().forEach((track, at) => (track.mode = at === id ? "hidden" : "disabled"));
      report();
    },
    facts: () => ({
      engine: "the browser's own HLS",
      width: video.videoWidth || null,
      height: video.videoHeight || null,
      frameRate: null,
      codecs: null,
      codecChoice: "by the browser",
      bitsPerSecond: null,
      estimateBitsPerSecond: null,
      url: video.currentSrc || null,
    }),
    close() {
      recovery.close();
      video.removeEventListener("progress", onProgress);
      video.removeEventListener("loadedmetadata", onMetadata);
      video.removeEventListener("error", onError);
      video.removeEventListener("resize", onResize);
      video.textTracks.removeEventListener("addtrack", report);
      video.removeAttribute("src");
      video.load();
    },
  };
}
