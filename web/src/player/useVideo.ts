/** The video element's state as the controls need it. */

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

export interface VideoState {
  time: number;
  duration: number;
  buffered: number;
  paused: boolean;
  ended: boolean;
  /** Waiting for data: at the start, after a seek, or when the network is slow. */
  waiting: boolean;
  /** The first frame is loaded. */
  started: boolean;
  volume: number;
  muted: boolean;
  rate: number;
}

const EVENTS = [
  "timeupdate",
  "durationchange",
  "progress",
  "play",
  "pause",
  "ended",
  "volumechange",
  "ratechange",
  "seeking",
  "seeked",
  "waiting",
  "playing",
  "canplay",
  "loadeddata",
  "emptied",
] as const;

export function bufferedTo(video: HTMLVideoElement): number {
  for (let i = 0; i < video.buffered.length; i += 1) {
    if (video.buffered.start(i) <= video.currentTime + 0.1 && video.buffered.end(i) >= video.currentTime) {
      return video.buffered.end(i);
    }
  }
  return video.currentTime;
}

export function useVideo(video: RefObject<HTMLVideoElement | null>, knownDuration: number): VideoState {
  const [state, setState] = useState<VideoState>({
    time: 0,
    duration: knownDuration,
    buffered: 0,
    paused: true,
    ended: false,
    waiting: true,
    started: false,
    volume: 1,
    muted: false,
    rate: 1,
  });
  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    const read = () =>
      setState((old) => ({
        time: element.currentTime,
        duration: Number.isFinite(element.duration) && element.duration > 0 ? element.duration : knownDuration,
        buffered: bufferedTo(element),
        paused: element.paused,
        ended: element.ended,
        waiting: element.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !element.ended,
        started: old.started || element.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA,
        volume: element.volume,
        muted: element.muted,
        rate: element.playbackRate,
      }));
    read();
    for (const event of EVENTS) element.addEventListener(event, read);
    return () => {
      for (const event of EVENTS) element.removeEventListener(event, read);
    };
  }, [knownDuration]);
  return state;
}
