/**
 * The player's reports of one film: from the video element's events, for hls.js and for the browser's own HLS alike. Rules of what
 * is reported are in `domain/viewing.ts`; sending is in `sender.ts`. A session without a `telemetry_url` reports nothing.
 */

import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Stream } from "../api/schema";
import { HEARTBEAT_MS, Viewing, type Sight } from "../domain/viewing";
import { Sender, postTo } from "./sender";

/** A film that is paused in a tab that nobody sees is left after this time. */
const HIDDEN_MS = 5 * 60 * 1000;

declare const __CLIENT_VERSION__: string;

/** What the video element does not say itself. */
export interface Telemetry {
  /** The browser wants a press before it plays. */
  refusedToBegin(): void;
  /** `fatal`: the viewer was told that the film stopped. */
  failed(code: string, fatal: boolean): void;
  /** The stream is opened anew for a choice of the viewer. */
  interrupt(): void;
  shown(height: number, kbps: number | null): void;
  /** `hls.js/1.7.4`. */
  plays(engine: string): void;
}

/** `openedAt`: the page's monotonic clock when the viewer opened the player. `position`: the viewer's, also while nothing is loaded. */
export function useTelemetry(
  video: RefObject<HTMLVideoElement | null>,
  stream: Stream,
  openedAt: number,
  position: RefObject<number>,
): RefObject<Telemetry | null> {
  const telemetry = useRef<Telemetry | null>(null);
  // A layout effect: it ends before the element leaves the page, which pauses it.
  useLayoutEffect(() => {
    if (stream.telemetry_url === null) return;
    const followed = follow(video.current!, stream.telemetry_url, new URL(stream.stream_url).origin, openedAt, () => position.current);
    telemetry.current = followed;
    return () => {
      telemetry.current = null;
      followed.close();
    };
  }, [stream]);
  return telemetry;
}

function follow(video: HTMLVideoElement, url: string, edge: string, openedAt: number, position: () => number): Telemetry & { close(): void } {
  let engine = "";
  const sender = new Sender(postTo(url), () => ({ player: `marquee-web/${__CLIENT_VERSION__}${engine}`, edge }));
  const viewing = new Viewing((event) => sender.add(event), openedAt);
  const sight = (): Sight => {
    const loaded = video.readyState >= HTMLMediaElement.HAVE_METADATA;
    return {
      at: performance.now(),
      position: loaded ? video.currentTime : position(),
      rate: video.playbackRate,
      ready: video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && !video.seeking,
    };
  };
  const listeners = new AbortController();
  const { signal } = listeners;
  const on = (event: string, listener: () => void) => video.addEventListener(event, listener, { signal });
  on("play", () => viewing.play(sight()));
  on("pause", () => viewing.pause(sight()));
  on("playing", () => {
    viewing.playing(sight());
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(() => !signal.aborted && viewing.frame(sight()));
  });
  on("timeupdate", () => viewing.moved(sight()));
  on("waiting", () => !video.seeking && !video.ended && viewing.waiting(sight()));
  on("seeking", () => viewing.seeking(sight()));
  on("seeked", () => viewing.sought(sight()));
  on("emptied", () => viewing.emptied(sight()));

  const beat = () => {
    const frames = video.getVideoPlaybackQuality?.();
    if (frames !== undefined) viewing.dropped(sight(), frames.droppedVideoFrames);
    viewing.beat(sight());
  };
  const timer = setInterval(beat, HEARTBEAT_MS);
  let hidden: ReturnType<typeof setTimeout> | undefined;
  const leave = () => {
    viewing.leave(sight());
    sender.leave(true);
  };
  const onVisibility = () => {
    clearTimeout(hidden);
    if (document.visibilityState !== "hidden") return;
    // A phone may end a hidden page without a word.
    viewing.beat(sight());
    sender.leave(false);
    hidden = setTimeout(() => video.paused && leave(), HIDDEN_MS);
  };
  document.addEventListener("visibilitychange", onVisibility, { signal });
  window.addEventListener("pagehide", leave, { signal });
  window.addEventListener("online", () => sender.wake(), { signal });
  // A session that begins while the film plays on.
  if (!video.paused) viewing.play(sight());
  return {
    refusedToBegin: () => viewing.refusedToBegin(),
    failed: (code, fatal) => viewing.failed(sight(), code, fatal),
    interrupt: () => viewing.interrupt(sight()),
    shown: (height, kbps) => viewing.shown(sight(), height, kbps),
    plays: (name) => void (engine = `/${name}`),
    close() {
      clearInterval(timer);
      clearTimeout(hidden);
      listeners.abort();
      leave();
    },
  };
}
