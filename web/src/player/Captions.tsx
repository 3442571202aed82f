/** Subtitles, drawn by the player so that they keep clear of its controls: the cues of every text track that is not off. */

import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

export function Captions({ video, raised }: { video: RefObject<HTMLVideoElement | null>; raised: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    const draw = () => {
      const lines: HTMLElement[] = [];
      const seen = new Set<string>();
      for (const track of element.textTracks) {
        if (track.mode === "disabled" || (track.kind !== "subtitles" && track.kind !== "captions")) continue;
        for (const cue of track.activeCues ?? []) {
          if (!("getCueAsHTML" in cue) || seen.has((cue as VTTCue).text)) continue;
          seen.add((cue as VTTCue).text);
          const line = document.createElement("p");
          const words = document.createElement("span");
          words.append((cue as VTTCue).getCueAsHTML());
          line.append(words);
          lines.push(line);
        }
      }
      box.current?.replaceChildren(...lines);
    };
    const listen = (track: TextTrack | null) => track?.addEventListener("cuechange", draw);
    const onTrack = (event: TrackEvent) => listen(event.track);
    [...element.textTracks].forEach(listen);
    element.textTracks.addEventListener("addtrack", onTrack);
    element.textTracks.addEventListener("change", draw);
    element.addEventListener("seeked", draw);
    return () => {
      for (const track of element.textTracks) track.removeEventListener("cuechange", draw);
      element.textTracks.removeEventListener("addtrack", onTrack);
      element.textTracks.removeEventListener("change", draw);
      element.removeEventListener("seeked", draw);
    };
  }, []);
  return <div ref={box} class={`captions ${raised ? "raised" : ""}`} data-testid="captions" />;
}
