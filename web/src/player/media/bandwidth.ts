/**
 * The line and the quality: how much is kept in the buffer, the bandwidth that hls.js chooses a rung by, the first rung, and the
 * replacement of low quality that is still in the buffer when the line is better again. The rules are in `domain/line.ts`.
 *
 * hls.js's own estimate counts video segments alone, weighted by their seconds: beside a parallel audio download it is too low,
 * and after a dip it stays low for most of a minute. Here one meter counts all bytes of video and audio that arrive.
 */

import type Hls from "hls.js";
import type { Fragment, HlsConfig } from "hls.js";
import {
  CAUTIOUS_BITS_PER_SECOND,
  firstEstimate,
  LineMeter,
  lowerFirstRung,
  replaceFrom,
  type Buffered,
} from "../../domain/line";
import { answeredIn, browsersHint, keepLine, measuredByPage, readLine } from "./lineMemory";

/** Seconds of film kept ahead of the position, and behind it. */
const AHEAD_SECONDS = 30;
const BEHIND_SECONDS = 60;
const TICK_MS = 100;
/** A download without its first byte is waiting and says nothing of the bandwidth, until it has waited as long as this. */
const STALLED_MS = 1000;
/** The first segment has this long to show how fast it comes. */
const FIRST_LOOK_MS = 400;
const REPLACE_EVERY_MS = 3000;
const REMEMBER_EVERY_MS = 10_000;

/** What hls.js asks of an estimator of bandwidth. */
interface Estimator {
  sampleTTFB(milliseconds: number): void;
  getEstimateTTFB(): number;
}

export function bandwidthConfig(Engine: typeof Hls, meter: LineMeter): Partial<HlsConfig> {
  return {
    capLevelToPlayerSize: true,
    maxBufferLength: AHEAD_SECONDS,
    // Without this bound hls.js buffers up to 60 MB or ten minutes.
    maxMaxBufferLength: AHEAD_SECONDS,
    backBufferLength: BEHIND_SECONDS,
    abrEwmaDefaultEstimate: CAUTIOUS_BITS_PER_SECOND,
    // The meter's estimate is of the last seconds, so less is left unused than by hls.js's own values (0.95 and 0.7).
    abrBandWidthFactor: 0.9,
    abrBandWidthUpFactor: 0.8,
    abrController: controllerWith(Engine, meter),
  };
}

/** hls.js's choice of rungs, by our estimate. */
function controllerWith(Engine: typeof Hls, meter: LineMeter): HlsConfig["abrController"] {
  class Controller extends Engine.DefaultConfig.abrController {
    private measuring = this.measureBy(this.bwEstimator);

    constructor(hls: Hls) {
      super(hls);
      this.bwEstimator = this.measuring;
    }

    /** hls.js calls this too, when it gives up a segment that comes too slowly. */
    override resetEstimator(estimate?: number): void {
      meter.reset();
      super.resetEstimator(estimate);
      this.bwEstimator = this.measuring = this.measureBy(this.bwEstimator);
    }

    private measureBy(own: Estimator): typeof this.bwEstimator {
      const { hls } = this;
      const ahead = () => hls.mainForwardBufferInfo?.len ?? 0;
      return {
        update: () => undefined,
        sample: () => undefined,
        sampleTTFB: (milliseconds: number) => own.sampleTTFB(milliseconds),
        canEstimate: () => meter.known(),
        getEstimate: () => (meter.known() ? meter.estimate(ahead()) : hls.config.abrEwmaDefaultEstimate),
        getEstimateTTFB: () => own.getEstimateTTFB(),
        get defaultEstimate() {
          return hls.config.abrEwmaDefaultEstimate;
        },
        destroy: () => undefined,
      } as unknown as typeof this.bwEstimator; // the class has private fields, and no interface of its own
    }
  }
  return Controller;
}

/** Measures the line, chooses the first rung, and replaces low quality. Ends with `close`. */
export function followLine(Engine: typeof Hls, hls: Hls, video: HTMLVideoElement, meter: LineMeter): { close(): void } {
  const { Events } = Engine;
  const loading = new Map<Fragment, number>();
  let buffered: (Buffered & { fragment: Fragment })[] = [];
  let ticked = performance.now();
  let replacedAt = Number.NEGATIVE_INFINITY;
  let rememberedAt = performance.now();
  let answeredMs = 0;

  /** Counts what has arrived since the last look. */
  const measure = () => {
    const now = performance.now();
    let bits = 0;
    let running = false;
    for (const [fragment, counted] of loading) {
      const { loaded, loading: times, aborted } = fragment.stats;
      bits += 8 * Math.max(0, loaded - counted);
      loading.set(fragment, loaded);
      running ||= times.first > 0 || now - times.start > STALLED_MS;
      if (aborted || times.end > 0) loading.delete(fragment); // hls.js tells of some aborts only
    }
    if (running || bits > 0) meter.add((now - ticked) / 1000, bits);
    ticked = now;
  };
  const ended = (fragment: Fragment) => {
    measure();
    loading.delete(fragment);
  };

  hls.on(Events.MANIFEST_PARSED, (_event, data) => {
    buffered = [];
    hls.firstLevel = 0; // the lowest, where even that one is above the estimate; hls.js would take the first one listed
    const { loading: times } = data.stats;
    answeredMs = answeredIn(hls.url ?? "", times.first - times.start);
    if (meter.known()) return; // the same film by a fresh URL
    hls.bandwidthEstimate = firstEstimate({
      measured: measuredByPage(),
      remembered: readLine(),
      hint: browsersHint(),
      answeredMs,
      now: Date.now(),
    });
  });
  hls.on(Events.FRAG_LOADING, (_event, { frag }) => {
    measure();
    if (frag.type !== "subtitle") loading.set(frag, 0);
  });
  hls.on(Events.FRAG_LOADED, (_event, { frag }) => ended(frag));
  hls.on(Events.FRAG_LOAD_EMERGENCY_ABORTED, (_event, { frag }) => ended(frag));
  hls.on(Events.ERROR, (_event, { frag }) => frag && ended(frag));
  hls.on(Events.FRAG_BUFFERED, (_event, { frag }) => {
    if (frag.type !== "main" || frag.sn === "initSegment") return;
    buffered = buffered.filter((one) => one.end <= frag.start + 0.1 || one.start >= frag.end - 0.1);
    const bitrate = hls.levels[frag.level]?.maxBitrate ?? 0;
    buffered.push({ start: frag.start, end: frag.end, bitrate, fragment: frag });
    remember();
  });
  hls.on(Events.BUFFER_FLUSHING, (_event, { startOffset, endOffset, type }) => {
    if (type !== "audio") buffered = buffered.filter((one) => one.end <= startOffset || one.start >= endOffset);
  });

  const remember = () => {
    if (!meter.known() || performance.now() - rememberedAt < REMEMBER_EVERY_MS) return;
    rememberedAt = performance.now();
    keepLine({ bitsPerSecond: Math.round(meter.average()), answeredMs: Math.round(Math.min(answeredMs, hls.ttfbEstimate)), at: Date.now() });
  };

  /** Before the first picture: begins anew with a lower rung if the first segment comes too slowly. */
  const hurryFirst = () => {
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA || !hls.autoLevelEnabled || !meter.known()) return;
    const first = [...loading.keys()].find((one) => one.type === "main" && one.sn !== "initSegment");
    if (first === undefined || first.stats.aborted || first.stats.loading.first === 0) return;
    if (performance.now() - first.stats.loading.first < FIRST_LOOK_MS) return;
    const total = first.stats.total || (first.duration * (hls.levels[first.level]?.averageBitrate ?? 0)) / 8;
    const rungs = hls.levels.map((level) => ({ bitrate: level.averageBitrate }));
    const left = 8 * (total - first.stats.loaded);
    const lower = lowerFirstRung(rungs, first.level, left, first.duration, meter.estimate(0));
    if (lower === null) return;
    hls.nextLoadLevel = lower;
    hls.nextAutoLevel = lower;
    first.abortRequests();
    hls.trigger(Events.FRAG_LOAD_EMERGENCY_ABORTED, { frag: first, part: null, stats: first.stats });
  };

  /** Replaces what waits in the buffer at a clearly lower quality than the line carries now. */
  const replaceLow = () => {
    if (!hls.autoLevelEnabled || !meter.known() || performance.now() - replacedAt < REPLACE_EVERY_MS) return;
    const best = hls.levels[hls.nextAutoLevel];
    if (best === undefined) return;
    const answer = answeredMs / 1000;
    const ahead = hls.mainForwardBufferInfo?.len ?? 0;
    const from = replaceFrom(buffered, video.currentTime, best.maxBitrate, meter.estimate(ahead), answer);
    if (from === null) return;
    replacedAt = performance.now();
    for (const one of loading.keys()) if (one.type === "main" && one.level < hls.nextAutoLevel) one.abortRequests();
    hls.trigger(Events.BUFFER_FLUSHING, { startOffset: from, endOffset: Number.POSITIVE_INFINITY, type: "video" });
  };

  const timer = setInterval(() => {
    measure();
    hurryFirst();
    replaceLow();
  }, TICK_MS);
  return {
    close() {
      clearInterval(timer);
      rememberedAt = Number.NEGATIVE_INFINITY;
      remember();
    },
  };
}
