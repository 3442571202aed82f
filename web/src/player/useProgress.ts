/** Connects the video element's events to the progress reporter. Nothing is reported before the film has begun to play. */

import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { ProgressReporter } from "../domain/progress";

export function useProgress(video: RefObject<HTMLVideoElement | null>, reporter: ProgressReporter): void {
  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    let begun = false;
    let leftAt = Number.NEGATIVE_INFINITY;
    const onPlaying = () => {
      begun = true;
    };
    // An element without a film reports 0 seconds, which is not the viewer's position.
    const known = () => begun && element.readyState >= HTMLMediaElement.HAVE_METADATA;
    const onTime = () => known() && !element.paused && !element.seeking && reporter.played(element.currentTime);
    const onStop = () => known() && reporter.stopped(element.currentTime);
    const onSeeked = () => known() && element.paused && reporter.stopped(element.currentTime);
    const leave = () => {
      // Hiding a page and leaving it come as two events in a row: one sample is enough.
      if (!known() || performance.now() - leftAt < 500) return;
      leftAt = performance.now();
      reporter.leaving(element.currentTime);
    };
    const onVisibility = () => document.visibilityState === "hidden" && leave();
    element.addEventListener("playing", onPlaying);
    element.addEventListener("timeupdate", onTime);
    element.addEventListener("pause", onStop);
    element.addEventListener("ended", onStop);
    element.addEventListener("seeked", onSeeked);
    document.addEventListener("visibilitychange", onVisibility);
    window.addEventListener("pagehide", leave);
    window.addEventListener("online", onStop);
    return () => {
      leave();
      element.removeEventListener("playing", onPlaying);
      element.removeEventListener("timeupdate", onTime);
      element.removeEventListener("pause", onStop);
      element.removeEventListener("ended", onStop);
      element.removeEventListener("seeked", onSeeked);
      document.removeEventListener("visibilitychange", onVisibility);
      window.removeEventListener("pagehide", leave);
      window.removeEventListener("online", onStop);
    };
  }, [reporter]);
}
