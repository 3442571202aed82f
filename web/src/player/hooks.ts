/** Hooks of the player: short messages, whether the controls are visible, the last position. */

import type { RefObject } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

const HIDE_AFTER_MS = 2800;
/** More than what is left of a segment when the film stops in it. */
const PLAYED_ON_SECONDS = 3;

/** The film's last position. It is kept while nothing is loaded, between one stream URL and the next. */
export function useLastPosition(video: RefObject<HTMLVideoElement | null>, startSeconds: number): RefObject<number> {
  const position = useRef(startSeconds);
  useEffect(() => {
    const element = video.current!;
    const read = () => {
      // 0 is where an element stands before it sought to the viewer's position; a viewer who seeks to 0 sets `position` by `seek`.
      if (element.readyState >= HTMLMediaElement.HAVE_METADATA && element.currentTime > 0) position.current = element.currentTime;
    };
    for (const event of ["timeupdate", "seeking"]) element.addEventListener(event, read);
    return () => {
      for (const event of ["timeupdate", "seeking"]) element.removeEventListener(event, read);
    };
  }, []);
  return position;
}

/**
 * Whether the viewer paused the film: pressed pause last, not play. `video.paused` does not say it: an element that is loaded anew
 * is paused, without an event.
 */
export function usePaused(video: RefObject<HTMLVideoElement | null>): RefObject<boolean> {
  const paused = useRef(false);
  useEffect(() => {
    const element = video.current!;
    const read = (event: Event) => void (paused.current = event.type === "pause");
    for (const event of ["play", "pause"]) element.addEventListener(event, read);
    return () => {
      for (const event of ["play", "pause"]) element.removeEventListener(event, read);
    };
  }, []);
  return paused;
}

/** Calls `playedOn` each time the film has played for some seconds without a seek, or to its end. */
export function usePlayedOn(video: RefObject<HTMLVideoElement | null>, playedOn: () => void): void {
  const latest = useRef(playedOn);
  latest.current = playedOn;
  useEffect(() => {
    const element = video.current!;
    let from: number | null = null;
    const restart = () => void (from = null);
    const read = () => {
      if (element.paused || element.seeking) return;
      from ??= element.currentTime;
      if (element.currentTime - from < PLAYED_ON_SECONDS) return;
      restart();
      latest.current();
    };
    const end = () => latest.current();
    const listeners = { timeupdate: read, seeking: restart, emptied: restart, ended: end };
    for (const [event, listener] of Object.entries(listeners)) element.addEventListener(event, listener);
    return () => {
      for (const [event, listener] of Object.entries(listeners)) element.removeEventListener(event, listener);
    };
  }, []);
}

/** A message that is shown for a moment: what a key did. */
export function useSaid(): [{ words: string; at: number } | null, (words: string) => void] {
  const [said, setSaid] = useState<{ words: string; at: number } | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), Math.max(900, said.words.length * 60));
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
