/**
 * A stream by hls.js: opens it, and carries out the viewer's choice of quality, audio and subtitles.
 * `bandwidth.ts` configures quality and buffer, `recovery.ts` handles every error, `choices.ts` lists the menus.
 *
 * hls.js runs without its worker: CMAF segments need no remuxing, and the page's policy need not allow a blob: worker.
 */

import type Hls from "hls.js";
import type { HlsConfig } from "hls.js";
import { CueStore } from "../cues";
import { bandwidthConfig } from "./bandwidth";
import { hlsChoices } from "./choices";
import type { Media, MediaOwner } from "./contract";
import { recoverHls } from "./recovery";

export function openHls(
  Engine: typeof Hls,
  video: HTMLVideoElement,
  url: string,
  startSeconds: number,
  owner: MediaOwner,
): Media {
  const config: Partial<HlsConfig> = {
    enableWorker: false,
    startPosition: startSeconds > 0 ? startSeconds : -1,
    enableCEA708Captions: false,
    // The player keeps and draws the cues: hls.js's own track elements load a data: URL, which the page's policy forbids.
    renderTextTracksNatively: false,
    ...(owner.liked.audio === null ? {} : { audioPreference: { lang: owner.liked.audio } }),
    ...bandwidthConfig(),
  };
  const hls = new Engine(config);
  const cues = new CueStore(video);
  const report = () => owner.choices(hlsChoices(hls));
  const { Events } = Engine;
  // hls.js turns a film's default subtitles on after it has reported the tracks. The viewer's choice overrides that.
  let wanted: number | null = null;
  const insist = () => {
    if (wanted === null && hls.subtitleTracks.length > 0) {
      wanted = hls.subtitleTracks.findIndex((track) => track.lang === owner.liked.subtitles);
    }
    if (wanted !== null && hls.subtitleTrack !== wanted) hls.subtitleTrack = wanted;
  };
  hls.on(Events.SUBTITLE_TRACKS_UPDATED, () => queueMicrotask(insist));
  hls.on(Events.SUBTITLE_TRACK_SWITCH, () => queueMicrotask(insist));
  for (const event of [
    Events.MANIFEST_PARSED,
    Events.LEVEL_SWITCHED,
    Events.AUDIO_TRACKS_UPDATED,
    Events.AUDIO_TRACK_SWITCHED,
    Events.SUBTITLE_TRACKS_UPDATED,
    Events.SUBTITLE_TRACK_SWITCH,
  ] as const) {
    hls.on(event, report);
  }
  hls.on(Events.CUES_PARSED, (_event, data) => {
    if (data.type === "subtitles") cues.add(data.subtitleTrack?.id ?? hls.subtitleTrack, data.cues as VTTCue[]);
  });
  hls.on(Events.SUBTITLE_TRACK_SWITCH, (_event, data) => cues.show(data.id));
  const recovery = recoverHls(Engine, hls, video, owner, () => cues.clear());

  hls.loadSource(url);
  hls.attachMedia(video);
  return {
    chooseQuality(id) {
      hls.nextLevel = id;
      report();
    },
    chooseAudio(id) {
      hls.audioTrack = id;
      report();
    },
    chooseSubtitle(id) {
      wanted = id;
      hls.subtitleTrack = id;
      cues.show(id);
      report();
    },
    close() {
      recovery.close();
      cues.clear();
      hls.destroy();
    },
  };
}
