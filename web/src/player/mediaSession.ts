/**
 * The system's own controls: media keys, lock screen, headset, the browser's media panel. They show the film with its poster
 * and position, and act on it. All of it ends when the player is left: keys that reach a page without a film do nothing.
 */

import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Stream } from "../api/schema";

export interface SessionActions {
  play: () => void;
  pause: () => void;
  stop: () => void;
  skip: (seconds: number) => void;
  seek: (seconds: number) => void;
}

const SKIP_SECONDS = 10;
const EVENTS = ["durationchange", "seeked", "ratechange", "play", "playing", "pause", "waiting", "ended", "emptied"] as const;

/**
 * What `setPositionState` takes, or null where it would throw: before the duration is known, and for a stream without an end.
 * A position past the duration (the last frame, rounding) counts as the end.
 */
export function positionState(duration: number, position: number, rate: number): Required<MediaPositionState> | null {
  if (!Number.isFinite(duration) || duration <= 0 || !Number.isFinite(position)) return null;
  return {
    duration,
    position: Math.min(duration, Math.max(0, position)),
    playbackRate: Number.isFinite(rate) && rate > 0 ? rate : 1,
  };
}

export function useMediaSession(video: RefObject<HTMLVideoElement | null>, stream: Stream, actions: SessionActions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    if (!("mediaSession" in navigator)) return;
    const session = navigator.mediaSession;
    const element = video.current!;
    session.metadata = metadata(stream);

    const handlers: [MediaSessionAction, MediaSessionActionHandler][] = [
      ["play", () => latest.current.play()],
      ["pause", () => latest.current.pause()],
      ["stop", () => latest.current.stop()],
      ["seekbackward", ({ seekOffset }) => latest.current.skip(-(seekOffset || SKIP_SECONDS))],
      ["seekforward", ({ seekOffset }) => latest.current.skip(seekOffset || SKIP_SECONDS)],
      ["seekto", ({ seekTime }) => typeof seekTime === "number" && latest.current.seek(seekTime)],
    ];
    for (const [action, handler] of handlers) setHandler(session, action, handler);

    const tell = () => {
      session.playbackState = element.readyState === 0 ? "none" : element.paused ? "paused" : "playing";
      const state = positionState(element.duration, element.currentTime, element.playbackRate);
      session.setPositionState?.(state ?? undefined);
    };
    tell();
    for (const event of EVENTS) element.addEventListener(event, tell);
    return () => {
      for (const event of EVENTS) element.removeEventListener(event, tell);
      for (const [action] of handlers) setHandler(session, action, null);
      session.metadata = null;
      session.playbackState = "none";
      session.setPositionState?.();
    };
  }, [stream.movie_id]);
}

function metadata(stream: Stream): MediaMetadata {
  const about = { title: stream.title, artist: "Marquee" };
  if (stream.poster_url === null) return new MediaMetadata(about);
  // A browser throws on an address that it cannot read. Keys without a poster are better than none.
  try {
    return new MediaMetadata({ ...about, artwork: [{ src: stream.poster_url, type: "image/jpeg" }] });
  } catch {
    return new MediaMetadata(about);
  }
}

/** Older browsers throw on an action that they do not know. The others stay. */
function setHandler(session: MediaSession, action: MediaSessionAction, handler: MediaSessionActionHandler | null): void {
  try {
    session.setActionHandler(action, handler);
  } catch {
    // This browser has no such key.
  }
}
