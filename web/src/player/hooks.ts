/** Hooks of the player: short messages, whether the controls are visible, the last position, media keys. */

import type { RefObject } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Stream } from "../api/schema";

const HIDE_AFTER_MS = 2800;

/** The film's last position. It is kept while nothing is loaded, between one stream URL and the next. */
export function useLastPosition(video: RefObject<HTMLVideoElement | null>, startSeconds: number): RefObject<number> {
  const position = useRef(startSeconds);
  useEffect(() => {
    const element = video.current!;
    const read = () => {
      if (element.readyState >= HTMLMediaElement.HAVE_METADATA) position.current = element.currentTime;
    };
    for (const event of ["timeupdate", "seeking"]) element.addEventListener(event, read);
    return () => {
      for (const event of ["timeupdate", "seeking"]) element.removeEventListener(event, read);
    };
  }, []);
  return position;
}

/** A message that is shown for a moment: what a key did. */
export function useSaid(): [{ words: string; at: number } | null, (words: string) => void] {
  const [said, setSaid] = useState<{ words: string; at: number } | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), 900);
    return () => clearTimeout(timer);
  }, [said]);
  return [said, useCallback((words: string) => setSaid({ words, at: performance.now() }), [])];
}

/** Controls are visible while the pointer moves or keys are pressed, and for a while after. */
export function useAwake(): [boolean, () => void, () => void] {
  const [awake, setAwake] = useState(true);
  const timer = useRef(0);
  const wake = useCallback(() => {
    setAwake(true);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setAwake(false), HIDE_AFTER_MS);
  }, []);
  const sleep = useCallback(() => {
    clearTimeout(timer.current);
    setAwake(false);
  }, []);
  useEffect(() => {
    wake();
    return () => clearTimeout(timer.current);
  }, []);
  return [awake, wake, sleep];
}

interface SessionActions {
  toggle: () => void;
  skip: (seconds: number) => void;
  seek: (seconds: number) => void;
}

/** The system's own media keys and lock screen. */
export function useMediaSession(stream: Stream, actions: SessionActions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    if (!("mediaSession" in navigator)) return;
    const session = navigator.mediaSession;
    const artwork = stream.poster_url === null ? [] : [{ src: stream.poster_url }];
    session.metadata = new MediaMetadata({ title: stream.title, artist: "Marquee", artwork });
    session.setActionHandler("play", () => latest.current.toggle());
    session.setActionHandler("pause", () => latest.current.toggle());
    session.setActionHandler("seekbackward", () => latest.current.skip(-10));
    session.setActionHandler("seekforward", () => latest.current.skip(10));
    session.setActionHandler("seekto", (details) => latest.current.seek(details.seekTime ?? 0));
    return () => {
      session.metadata = null;
      for (const name of ["play", "pause", "seekbackward", "seekforward", "seekto"] as const) {
        session.setActionHandler(name, null);
      }
    };
  }, [stream.movie_id]);
}
