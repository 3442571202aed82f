/**
 * A stream by hls.js: opens it, and carries out the viewer's choice of quality, audio and subtitles.
 * `bandwidth.ts` configures quality and buffer, `hlsErrors.ts` handles every error, `choices.ts` lists the menus.
 *
 * hls.js runs without its worker: CMAF segments need no remuxing, and the page's policy need not allow a blob: worker.
 */

import type Hls from "hls.js";
import type { HlsConfig } from "hls.js";
import { CueStore } from "../cues";
import { LineMeter } from "../../domain/line";
import { castBySource } from "../remotePlayback";
import { bufferedTo } from "../useVideo";
import { bandwidthConfig, followLine } from "./bandwidth";
import { hlsChoices, hlsFacts, levelOf, likedTrack } from "./choices";
import { CmcdQuery } from "./cmcd";
import { CodecFilter } from "./codecs";
import type { Media, MediaOwner } from "./contract";
import { handleErrors, loadPolicies } from "./hlsErrors";
import { SoundFilter } from "./sound";

export function openHls(
  Engine: typeof Hls,
  video: HTMLVideoElement,
  url: string,
  startSeconds: number,
  owner: MediaOwner,
): Media {
  const { liked } = owner;
  const sound = new SoundFilter(liked.sound ?? "stereo");
  const codec = new CodecFilter();
  /** The quality that the viewer chose, in lines. */
  let limit = liked.quality;
  const meter = new LineMeter();
  const config: Partial<HlsConfig> = {
    enableWorker: false,
    startPosition: startSeconds > 0 ? startSeconds : -1,
    enableCEA708Captions: false,
    // The player keeps and draws the cues: hls.js's own track elements load a data: URL, which the page's policy forbids.
    renderTextTracksNatively: false,
    pLoader: sound.loader(Engine, codec.read),
    ...(liked.audio === null ? {} : { audioPreference: { lang: liked.audio } }),
    ...loadPolicies(),
    ...bandwidthConfig(Engine, meter),
  };
  const hls = new Engine(config);
  const line = followLine(Engine, hls, video, meter);
  const cues = new CueStore(video);
  const report = () => owner.choices(hlsChoices(hls, limit, sound.found));
  const { Events } = Engine;
  // hls.js turns a film's default subtitles on after it has reported the tracks. The viewer's choice overrides that.
  let wanted: number | null = null;
  const insist = () => {
    if (wanted === null && hls.subtitleTracks.length > 0) {
      wanted = likedTrack(hlsChoices(hls, limit, sound.found).subtitles, liked.subtitles, liked.subtitlesAccessible);
    }
    if (wanted !== null && hls.subtitleTrack !== wanted) hls.subtitleTrack = wanted;
  };
  hls.on(Events.SUBTITLE_TRACKS_UPDATED, () => queueMicrotask(insist));
  hls.on(Events.SUBTITLE_TRACK_SWITCH, () => queueMicrotask(insist));
  // A remembered quality is the most that is played: on a slower line than yesterday's the film does not stop for it.
  // A viewer's choice holds in a small window too; without one the window's size is the limit, which hls.js keeps itself.
  const limitedBySize = hls.capLevelToPlayerSize;
  let limited = false;
  const applyLimit = () => {
    if (limit === null && !limited) return;
    limited = limit !== null;
    hls.capLevelToPlayerSize = limitedBySize && !limited;
    hls.autoLevelCapping = limit === null ? -1 : levelOf(hls.levels, limit);
  };
  hls.on(Events.MANIFEST_PARSED, applyLimit);
  let audioSettled = liked.audio === null;
  hls.on(Events.AUDIO_TRACKS_UPDATED, () => {
    if (audioSettled) return;
    audioSettled = true;
    const track = likedTrack(hlsChoices(hls, limit, sound.found).audios, liked.audio, liked.audioAccessible);
    if (track >= 0) queueMicrotask(() => hls.audioTrack !== track && (hls.audioTrack = track));
  });
  hls.on(Events.LEVEL_SWITCHED, (_event, { level }) => {
    const shown = hls.levels[level];
    if (shown !== undefined) owner.shown(shown.height, Math.round(shown.averageBitrate / 1000));
  });
  castBySource(Engine, hls, video);
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
  const chooseSubtitle = (id: number) => {
    wanted = id;
    hls.subtitleTrack = id;
    cues.show(id);
    report();
  };
  const query = new CmcdQuery(hls, owner.sessionId, () => (meter.known() ? meter.average() : null), () => bufferedTo(video) - video.currentTime);
  const errors = handleErrors(Engine, hls, video, owner, {
    restarting: () => cues.clear(),
    chooseSubtitle,
    codec,
    withQuery: (address, context) => query.addTo(address, context),
  });

  hls.loadSource(url);
  hls.attachMedia(video);
  return {
    chooseQuality(id) {
      const level = hls.levels[id];
      limit = level === undefined ? null : Math.min(level.width, level.height) || level.height;
      applyLimit();
      hls.nextLevel = id;
      report();
    },
    chooseAudio(id) {
      hls.audioTrack = id;
      report();
    },
    chooseSubtitle(id) {
      errors.subtitleChosen();
      chooseSubtitle(id);
    },
    engine: `hls.js/${Engine.version}`,
    facts: () => ({ ...hlsFacts(hls, Engine.version), codecChoice: codec.words }),
    close() {
      errors.close();
      line.close();
      cues.clear();
      hls.destroy();
    },
  };
}
