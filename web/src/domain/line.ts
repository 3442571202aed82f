/**
 * What a viewer's line carries: the estimate from bytes that arrived, the first estimate of a film, and when low quality in the
 * buffer is worth replacing. Pure: no clock, no player. Bandwidths are bits a second, times are seconds unless named otherwise.
 */

/** Bytes that arrived in a stretch of time in which at least one download was running. */
interface Sample {
  seconds: number;
  bits: number;
}

/** The newest samples that together reach either bound. */
interface Span {
  seconds: number;
  bits: number;
}

/**
 * Bounded by bits and not by time alone: after a dip 250 kB arrive within a second, and prove that the line is fast again. With
 * weights by seconds, as hls.js has them, the slow seconds before outweigh them for most of a minute.
 */
const RECENT: Span = { seconds: 2, bits: 2_000_000 };
const LONG: Span = { seconds: 8, bits: 16_000_000 };
/** Fewer bits than this are no estimate. */
const MIN_BITS = 128_000;
/** With so much film in the buffer, a short dip is waited out. */
const COMFORTABLE_SECONDS = 15;
/** With less than this, part of the line is kept in reserve: the next segment has little time. */
const SCARCE_SECONDS = 10;
const SCARCE_SHARE = 0.85;

export class LineMeter {
  private samples: Sample[] = [];

  add(seconds: number, bits: number): void {
    if (seconds <= 0) return;
    this.samples.push({ seconds, bits });
    let long = 0;
    const keep = this.samples.findLastIndex((sample) => (long += sample.seconds) >= 2 * LONG.seconds);
    if (keep > 0) this.samples.splice(0, keep);
  }

  reset(): void {
    this.samples = [];
  }

  known(): boolean {
    return this.samples.reduce((sum, sample) => sum + sample.bits, 0) >= MIN_BITS;
  }

  /** The estimate for a choice of quality, with so many seconds of film in the buffer. */
  estimate(bufferSeconds: number): number {
    const recent = this.rate(RECENT);
    if (bufferSeconds < SCARCE_SECONDS) return SCARCE_SHARE * recent;
    return bufferSeconds >= COMFORTABLE_SECONDS ? Math.max(recent, this.rate(LONG)) : recent;
  }

  /** The estimate to remember for the next film. */
  average(): number {
    return this.rate(LONG);
  }

  private rate(span: Span): number {
    let seconds = 0;
    let bits = 0;
    for (let i = this.samples.length - 1; i >= 0 && seconds < span.seconds && bits < span.bits; i -= 1) {
      seconds += this.samples[i]!.seconds;
      bits += this.samples[i]!.bits;
    }
    return seconds === 0 ? 0 : bits / seconds;
  }
}

/** What is known of the line before a film's first segment. */
export interface Evidence {
  bitsPerSecond: number;
  /** Time to the first byte of an answer then. */
  answeredMs: number;
}

export interface Remembered extends Evidence {
  /** Milliseconds since 1970. */
  at: number;
}

/** The estimate where nothing is known: the lowest rungs play on nearly every line, and the second segment is chosen by measurement. */
export const CAUTIOUS_BITS_PER_SECOND = 300_000;
const MAX_FIRST_BITS_PER_SECOND = 8_000_000;
const HOUR_MS = 3_600_000;
const REMEMBERED_MS = 7 * 24 * HOUR_MS;

/** A line that answers much later than it did is another line, or a worse place. */
export function answersAsBefore(thenMs: number, nowMs: number): boolean {
  return nowMs <= 1.5 * thenMs + 40;
}

/** The first segment, six seconds of film, should take about a quarter of its time. */
const MEASURED_SHARE = 0.25;
const WEEK_OLD_SHARE = 0.2;

/**
 * The estimate for a film's first segment: a part of what this page itself just measured, else of what the device remembers (a
 * smaller part after an hour, nothing after a week). Neither counts if the line answers later than then. Else it is the cautious
 * one, or the browser's hint if that is lower. Too low costs one segment in lower quality, too high costs seconds of waiting.
 */
export function firstEstimate(known: {
  measured: Evidence | null;
  remembered: Remembered | null;
  hint: number | null;
  answeredMs: number;
  now: number;
}): number {
  const { measured, remembered, hint, answeredMs, now } = known;
  const bounded = (estimate: number) => Math.min(MAX_FIRST_BITS_PER_SECOND, estimate);
  if (measured !== null && answersAsBefore(measured.answeredMs, answeredMs)) return bounded(MEASURED_SHARE * measured.bitsPerSecond);
  const age = remembered === null ? Infinity : now - remembered.at;
  if (remembered !== null && age >= 0 && age < REMEMBERED_MS && answersAsBefore(remembered.answeredMs, answeredMs)) {
    return bounded((age < HOUR_MS ? MEASURED_SHARE : WEEK_OLD_SHARE) * remembered.bitsPerSecond);
  }
  return hint !== null && hint > 0 ? Math.min(CAUTIOUS_BITS_PER_SECOND, 0.8 * hint) : CAUTIOUS_BITS_PER_SECOND;
}

/** A segment in the buffer. */
export interface Buffered {
  start: number;
  end: number;
  /** Peak bandwidth of its rung, bits a second. */
  bitrate: number;
}

/** So much of the line must be left over before film is thrown away that would have played. */
const SPARE = 1.3;
const AMPLE = 2;
/** A rung below this part of the new one is worth replacing. */
const CLEARLY_LOWER = 0.75;
/** Left in place ahead of the position if the line has little to spare. */
const KEPT_SECONDS = 12;

/**
 * The position from which the buffer is replaced by `bitrate`, or null. With ample bandwidth that is the next segment which can
 * be fetched before it plays; with less, what plays later than `KEPT_SECONDS` from now.
 */
export function replaceFrom(
  buffered: readonly Buffered[],
  position: number,
  bitrate: number,
  bandwidth: number,
  answerSeconds: number,
): number | null {
  if (bandwidth < SPARE * bitrate) return null;
  const next = buffered.filter((one) => one.start > position).sort((a, b) => a.start - b.start);
  const segment = Math.max(0, ...next.map((one) => one.end - one.start));
  const fetch = 1 + 2 * answerSeconds + (segment * bitrate) / bandwidth;
  const from = position + (bandwidth >= AMPLE * bitrate ? fetch : Math.max(fetch, KEPT_SECONDS));
  return next.find((one) => one.start >= from && one.bitrate < CLEARLY_LOWER * bitrate)?.start ?? null;
}

/** A rung of the film, from the lowest to the highest. */
export interface Rung {
  bitrate: number;
}

/** The viewer waits for the first picture: a first segment that takes longer than this is given up for a lower rung. */
const MAX_FIRST_SECONDS = 2.5;
/** The lower rung should take no longer than this, because time has been lost already. */
const SECOND_TRY_SECONDS = 1.5;
/** A change costs a playlist and a new request. It must win more than that. */
const WORTH_SECONDS = 0.7;

/**
 * The rung to begin anew with, if the first segment comes too slowly, or null to go on waiting. `leftBits`: of the present one.
 */
export function lowerFirstRung(
  rungs: readonly Rung[],
  present: number,
  leftBits: number,
  segmentSeconds: number,
  bandwidth: number,
): number | null {
  const left = leftBits / bandwidth;
  if (left <= MAX_FIRST_SECONDS || present === 0) return null;
  const seconds = (at: number) => (rungs[at]!.bitrate * segmentSeconds) / bandwidth;
  let lower = present - 1;
  while (lower > 0 && seconds(lower) > SECOND_TRY_SECONDS) lower -= 1;
  return seconds(lower) + WORTH_SECONDS < left ? lower : null;
}
