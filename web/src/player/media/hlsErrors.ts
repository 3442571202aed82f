/**
 * Every error of hls.js, as a kind of failure. hls.js itself repeats a request once and changes to another quality; everything that
 * does not help ends here. A failing subtitle track or sound track alone does not stop the film: it goes on without, and says so.
 */

import type Hls from "hls.js";
import type { ErrorData, HlsConfig } from "hls.js";
import { language } from "../../domain/format";
import { RULES, kindOf, pauseSeconds, type Kind } from "../../domain/failures";
import { retryAfterSeconds } from "../../domain/problems";
import type { CmcdQuery } from "./cmcd";
import type { CodecFilter } from "./codecs";
import type { Failure, MediaOwner } from "./contract";
import { isSameVersion, rebased } from "./rebase";
import { Recovery, type Source } from "./recovery";

const SUBTITLE_TRIES = 2;

/** hls.js repeats without a look at Retry-After, so it repeats little: once, a segment that an edge could not fetch in time. */
export function loadPolicies(chance: number = Math.random()): Partial<HlsConfig> {
  const once = { maxNumRetry: 1, retryDelayMs: 300 + 400 * chance, maxRetryDelayMs: 2000 };
  const never = { timeoutRetry: null, errorRetry: null };
  return {
    manifestLoadPolicy: { default: { maxTimeToFirstByteMs: 8000, maxLoadTimeMs: 15_000, ...never } },
    playlistLoadPolicy: { default: { maxTimeToFirstByteMs: 8000, maxLoadTimeMs: 15_000, ...never } },
    fragLoadPolicy: { default: { maxTimeToFirstByteMs: 8000, maxLoadTimeMs: 60_000, timeoutRetry: null, errorRetry: once } },
    keyLoadPolicy: { default: { maxTimeToFirstByteMs: 8000, maxLoadTimeMs: 15_000, timeoutRetry: null, errorRetry: once } },
  };
}

/** Which stream of the film a failed request belongs to. */
function partOf({ frag, context, details }: ErrorData): "subtitles" | "sound" | "film" {
  const type = String(frag?.type ?? context?.type ?? "");
  if (type === "subtitle" || type === "subtitleTrack" || details.startsWith("subtitle")) return "subtitles";
  return type === "audio" || type === "audioTrack" || details.startsWith("audioTrack") ? "sound" : "film";
}

function kindOfError(Engine: typeof Hls, { type, details, response }: ErrorData): Kind {
  if (details === Engine.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR || details === Engine.ErrorDetails.BUFFER_ADD_CODEC_ERROR) {
    return "unsupported";
  }
  const unreadable = /parsing|empty/i.test(details);
  if (type === Engine.ErrorTypes.NETWORK_ERROR || unreadable) {
    return kindOf({ status: response?.code, timedOut: /timeout/i.test(details), unreadable });
  }
  return type === Engine.ErrorTypes.MEDIA_ERROR || type === Engine.ErrorTypes.MUX_ERROR ? "undecodable" : "unsupported";
}

function waitOf({ networkDetails }: ErrorData): number | null {
  return networkDetails instanceof XMLHttpRequest ? retryAfterSeconds(networkDetails.getResponseHeader("Retry-After")) : null;
}

export interface Errors {
  /** The viewer chose subtitles, or none: what was about to be tried again is not. */
  subtitleChosen(): void;
  close(): void;
}

/** `restarting`: everything is loaded again. `chooseSubtitle`: as the viewer does, but the choice is not remembered. `codec`: what plays, and whether H.264 is left. `withQuery`: the address with what edges log. */
export function handleErrors(
  Engine: typeof Hls,
  hls: Hls,
  video: HTMLVideoElement,
  owner: MediaOwner,
  hooks: { restarting: () => void; chooseSubtitle: (id: number) => void; codec: Pick<CodecFilter, "fallBack" | "canFallBack">; withQuery: CmcdQuery["addTo"] },
): Errors {
  const { Events } = Engine;
  const loads = arrivals(Engine, hls);
  const sequel = { oldest: "", newest: "" };
  hls.config.xhrSetup = (request, url, context) => {
    const address = sequel.newest === "" ? url : rebased(url, sequel.oldest, sequel.newest);
    request.open("GET", hooks.withQuery(address, context), true);
  };
  const source: Source = {
    preloads: true,
    arrived: loads.count,
    stop: () => hls.stopLoad(),
    resume: () => (hls.levels.length === 0 ? hls.loadSource(hls.url ?? "") : hls.startLoad(owner.position())),
    mend(play) {
      // A decoder that failed fails again: the film goes on in H.264.
      if (hooks.codec.fallBack()) {
        reload(Engine, hls, owner.position(), hls.url ?? "");
        hooks.restarting();
      } else hls.recoverMediaError();
      if (play) playOnceThere(video, ended.signal);
    },
    restart(url, whole, play) {
      const old = hls.url ?? "";
      if (!whole && hls.levels.length > 0 && isSameVersion(old, url)) {
        sequel.oldest = old;
        sequel.newest = url;
        hls.startLoad(owner.position());
        return;
      }
      sequel.newest = "";
      reload(Engine, hls, owner.position(), url);
      if (play) playOnceThere(video, ended.signal);
      hooks.restarting();
    },
  };
  const brokenSounds = new Set<string>();
  let subtitleFailures = 0;
  let timer = 0;
  const ended = new AbortController();
  /** Closed, or the viewer was told: nothing may load or play any more. */
  const end = () => {
    ended.abort();
    clearTimeout(timer);
  };
  const failed = (failure: Failure) => {
    end();
    owner.failed(failure);
  };
  const recovery = new Recovery(video, { ...owner, failed }, source);

  const subtitlesFailed = (kind: Kind, data: ErrorData) => {
    const id = hls.subtitleTrack;
    if (kind === "refused" && recovery.tried === 0 && subtitleFailures === 0) {
      subtitleFailures = 1; // the address has ended for the whole film
      recovery.fault(kind);
      return;
    }
    // Off, or hls.js asks for the same file again at once, without an end.
    hooks.chooseSubtitle(-1);
    if (data.fatal) hls.startLoad(owner.position());
    subtitleFailures += 1;
    clearTimeout(timer);
    if (subtitleFailures <= SUBTITLE_TRIES && id >= 0) {
      timer = window.setTimeout(() => hooks.chooseSubtitle(id), 1000 * pauseSeconds(subtitleFailures, waitOf(data)));
    } else if (id >= 0) {
      subtitleFailures = 0;
      owner.note("The subtitles cannot be loaded. The film goes on without them.");
    }
  };

  /** Whether the film goes on with another sound track. */
  const otherSound = (): boolean => {
    const name = (id: number) => hls.audioTracks[id]?.name || language(hls.audioTracks[id]?.lang) || "";
    brokenSounds.add(name(hls.audioTrack));
    const other = hls.audioTracks.findIndex((_track, id) => !brokenSounds.has(name(id)));
    if (other < 0) return false;
    owner.note(`The sound “${name(hls.audioTrack)}” cannot be loaded. The film goes on with “${name(other)}”.`);
    hls.audioTrack = other;
    hls.startLoad(owner.position());
    return true;
  };

  hls.on(Events.FRAG_BUFFERED, (_event, { frag }) => {
    if (String(frag.type) === "subtitle") subtitleFailures = 0;
  });
  hls.on(Events.SUBTITLE_FRAG_PROCESSED, (_event, { success }) => {
    if (success) subtitleFailures = 0;
  });
  hls.on(Events.ERROR, (_event, data) => {
    if (recovery.restsOrEnded) return;
    const met = kindOfError(Engine, data);
    const kind = met === "unsupported" && hooks.codec.canFallBack ? "undecodable" : met;
    const part = partOf(data);
    if (data.details === Engine.ErrorDetails.BUFFER_SEEK_OVER_HOLE && recovery.hadFault) {
      return owner.note("A few seconds of the film could not be loaded. They are left out.");
    }
    if (part === "subtitles") return subtitlesFailed(kind, data);
    const wait = waitOf(data);
    if (data.fatal) {
      // What no decoder can read may be the picture's fault, also where the sound is named.
      const ofSound = part === "sound" && kind !== "undecodable" && RULES[kind].action !== "none" && recovery.tried > 0;
      if (ofSound && otherSound()) return;
      recovery.fault(ofSound ? "sound" : kind, wait);
    } else if (data.type === Engine.ErrorTypes.NETWORK_ERROR && recovery.tried === 0) {
      // An address that has ended has ended for every quality. Waiting as long as an edge asks is beyond hls.js too.
      if (kind === "refused" || (kind === "busy" && wait !== null)) recovery.fault(kind, wait);
    }
  });
  return {
    subtitleChosen() {
      clearTimeout(timer);
      subtitleFailures = 0;
    },
    close() {
      end();
      recovery.close();
    },
  };
}

/** An element that gets a new source is paused. */
function playOnceThere(video: HTMLVideoElement, signal: AbortSignal): void {
  video.addEventListener("loadedmetadata", () => void video.play().catch(() => undefined), { once: true, signal });
}

/** Load everything again at the position, with the viewer's choices of quality and sound. */
function reload(Engine: typeof Hls, hls: Hls, position: number, url: string): void {
  const { audioTrack, manualLevel } = hls;
  hls.config.startPosition = position > 0 ? position : -1;
  hls.once(Engine.Events.MANIFEST_PARSED, () => {
    hls.startLoad(position > 0 ? position : -1);
    if (audioTrack >= 0) hls.audioTrack = audioTrack;
    if (manualLevel >= 0 && manualLevel < hls.levels.length) hls.nextLevel = manualLevel;
  });
  hls.loadSource(url);
}

/** A number that grows with every byte and every playlist that arrives, also of a segment that is not there as a whole. */
function arrivals(Engine: typeof Hls, hls: Hls): { count: () => number } {
  const { Events } = Engine;
  let total = 0;
  let loading: { stats: { loaded: number }; seen: number }[] = [];
  for (const event of [Events.MANIFEST_LOADED, Events.LEVEL_LOADED, Events.AUDIO_TRACK_LOADED, Events.FRAG_BUFFERED] as const) {
    hls.on(event, () => void (total += 1));
  }
  hls.on(Events.FRAG_LOADING, (_event, { frag }) => {
    loading = [...loading.slice(-5), { stats: frag.stats, seen: frag.stats.loaded }];
  });
  return {
    count() {
      for (const one of loading) {
        if (one.stats.loaded > one.seen) total += one.stats.loaded - one.seen;
        one.seen = one.stats.loaded;
      }
      return total;
    },
  };
}
