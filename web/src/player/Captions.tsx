/** Draws subtitles: signs that belong at the top there, dialogue above the player's controls. Cues of every text track that is not off. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { CaptionLook, CaptionSize } from "./captionLook";

const EVENTS = ["seeked", "timeupdate"] as const; // removing a cue from its track fires no event

function activeCues(video: HTMLVideoElement): VTTCue[] {
  const cues: VTTCue[] = [];
  for (const track of video.textTracks) {
    if (track.mode === "disabled" || (track.kind !== "subtitles" && track.kind !== "captions")) continue;
    for (const cue of track.activeCues ?? []) if ("getCueAsHTML" in cue) cues.push(cue as VTTCue);
  }
  return cues;
}

/** `line:5%`. A line number (`snapToLines`) counts from the top unless it is negative. */
export function isAtTop({ line, snapToLines }: Pick<VTTCue, "line" | "snapToLines">): boolean {
  if (typeof line !== "number") return false;
  return snapToLines ? line >= 0 && line < 8 : line < 50;
}

interface Props {
  video: RefObject<HTMLVideoElement | null>;
  /** The controls are visible: dialogue stands above them. */
  raised: boolean;
  size: CaptionSize;
  look: CaptionLook;
  /** The chosen track. A paused film fires no event when another one is chosen. */
  track: number;
  /** The browser draws the subtitles itself at the moment. */
  elsewhere: boolean;
}

export function Captions({ video, raised, size, look, track, elsewhere }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const above = useRef<HTMLDivElement>(null);
  const redraw = useRef<() => void>(() => undefined);
  const [aspect, setAspect] = useState(16 / 9);
  useEffect(() => {
    const element = video.current!;
    const read = () => element.videoHeight > 0 && setAspect(element.videoWidth / element.videoHeight);
    element.addEventListener("resize", read); // fired for the first picture too
    return () => element.removeEventListener("resize", read);
  }, []);
  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    let drawn: VTTCue[] = [];
    const draw = () => {
      const cues = activeCues(element);
      if (cues.length === drawn.length && cues.every((cue, at) => cue === drawn[at])) return;
      drawn = cues;
      const drawnLine = (cue: VTTCue) => {
        const line = document.createElement("p");
        const words = document.createElement("span");
        words.append(cue.getCueAsHTML());
        line.append(words);
        return line;
      };
      box.current?.replaceChildren(...cues.filter((cue) => !isAtTop(cue)).map(drawnLine));
      above.current?.replaceChildren(...cues.filter(isAtTop).map(drawnLine));
    };
    redraw.current = draw;
    const onTrack = (event: TrackEvent) => event.track?.addEventListener("cuechange", draw);
    for (const track of element.textTracks) track.addEventListener("cuechange", draw);
    element.textTracks.addEventListener("addtrack", onTrack);
    for (const event of EVENTS) element.addEventListener(event, draw);
    return () => {
      for (const track of element.textTracks) track.removeEventListener("cuechange", draw);
      element.textTracks.removeEventListener("addtrack", onTrack);
      for (const event of EVENTS) element.removeEventListener(event, draw);
    };
  }, []);
  useEffect(() => redraw.current(), [track]);
  const place = { "--aspect": aspect.toFixed(4) };
  const style = `captions size-${size} look-${look}`;
  return (
    <>
      <div ref={above} class={`${style} at-top`} hidden={elsewhere} style={place} data-testid="captions-at-top" />
      <div ref={box} class={`${style} ${raised ? "raised" : ""}`} hidden={elsewhere} style={place} data-testid="captions" />
    </>
  );
}
