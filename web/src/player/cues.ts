/**
 * Keeps the cues that hls.js parsed, by subtitle track, and puts those of the chosen track into the video element's text
 * track. hls.js parses a segment only once, so a track's cues are kept while another track is chosen. A cue that spans two
 * segments arrives twice and is kept once.
 */

const tracks = new WeakMap<HTMLVideoElement, TextTrack>();

export class CueStore {
  private readonly cues = new Map<number, Map<string, VTTCue>>();
  private readonly track: TextTrack;
  private shown = -1;

  constructor(video: HTMLVideoElement) {
    // A text track cannot be removed from its element, so one track serves every stream that the element plays.
    let track = tracks.get(video);
    if (track === undefined) {
      track = video.addTextTrack("subtitles");
      tracks.set(video, track);
    }
    this.track = track;
    this.track.mode = "hidden";
  }

  add(trackId: number, cues: readonly VTTCue[]): void {
    let held = this.cues.get(trackId);
    if (held === undefined) this.cues.set(trackId, (held = new Map()));
    for (const cue of cues) {
      const key = `${cue.startTime.toFixed(3)} ${cue.text}`;
      if (held.has(key)) continue;
      held.set(key, cue);
      if (trackId === this.shown) this.track.addCue(cue);
    }
  }

  /** -1: no track. */
  show(trackId: number): void {
    if (trackId === this.shown) return;
    this.empty();
    this.shown = trackId;
    for (const cue of this.cues.get(trackId)?.values() ?? []) this.track.addCue(cue);
  }

  clear(): void {
    this.empty();
    this.cues.clear();
  }

  private empty(): void {
    for (const cue of [...(this.track.cues ?? [])]) this.track.removeCue(cue);
  }
}
