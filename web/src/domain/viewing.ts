/**
 * What a viewing reports, and when: signals of a video element become events, in the names of CTA-2066 and Mux Data. Pure.
 *
 * An attempt counts from when play is asked for. A stall is playing that stands still, after the first frame and outside a seek. Small
 * jumps of the player itself during a stall belong to the stall. Watched time is film that was shown: never while the film is
 * paused, stalled or sought in. `telemetry/useTelemetry.ts` gives the signals, `domain/telemetry.ts` keeps the events until they arrived.
 */

export type EventKind =
  | "attempt"
  | "first_frame"
  | "pause"
  | "play"
  | "stall_begin"
  | "stall_end"
  | "seek"
  | "rendition"
  | "dropped_frames"
  | "error"
  | "heartbeat"
  | "exit";

export interface ViewedEvent {
  kind: EventKind;
  /** Milliseconds of the page's monotonic clock. */
  at_ms: number;
  position_seconds?: number;
  duration_ms?: number;
  watched_ms?: number;
  height?: number;
  kbps?: number;
  count?: number;
  error_code?: string;
  is_fatal?: boolean;
}

/** The film at one moment. */
export interface Sight {
  /** Milliseconds of the page's monotonic clock. */
  at: number;
  /** Seconds of the film. */
  position: number;
  /** The speed. */
  rate: number;
  /** What comes next is loaded, and no seek is under way. */
  ready: boolean;
}

export const HEARTBEAT_MS = 10_000;
/** A stalled player nudges itself over gaps by less than this. A viewer's smallest step is 10 s. */
const NUDGE_SECONDS = 2.5;
/** Reports of the same fault that the player mends by itself are this far apart, and so many at most. */
const SAME_FAULT_MS = 10_000;
const MAX_MENDED = 50;
/** Positions are samples, and timers are late: a step of the position may be larger than the time that passed by this much. */
const SPARE_SECONDS = 0.5;

export class Viewing {
  private phase: "opened" | "asked" | "begun" = "opened";
  private attemptAt = 0;
  /** The browser wants a press of the viewer first. */
  private refused = false;
  private paused = false;
  /** Nothing is counted until the film plays again: it failed, or the viewer chose something that opens it anew. */
  private interrupted = false;
  private stallAt: number | null = null;
  private seek: { at: number; to: number; arrived: boolean } | null = null;
  /** The newest sample of film that is shown without a break. */
  private last: Sight | null = null;
  private watchedMs = 0;
  private picture: { height: number; kbps: number | null } | null = null;
  private toldPicture = "";
  private framesDropped = 0;
  private faults = new Map<string, number>();
  private mended = 0;
  private left = false;

  /** `openedAt`: when the viewer asked for the film, by opening its player. */
  constructor(
    private readonly emit: (event: ViewedEvent) => void,
    private readonly openedAt: number,
  ) {}

  /** The browser does not begin by itself. The attempt counts from the viewer's press. */
  refusedToBegin(): void {
    this.refused = true;
  }

  /** Play was asked for: by the page, which opened the film for it, or by a press. */
  play(sight: Sight): void {
    const wasPaused = this.paused;
    this.paused = false;
    if (this.phase === "opened") this.attempt(this.refused ? sight.at : this.openedAt, sight);
    else if (wasPaused) this.tell("play", sight);
    // A viewer who tries again after a failure does not wait while reading its words.
    if (this.phase === "asked" && this.interrupted) this.attemptAt = sight.at;
    this.last = sight;
  }

  pause(sight: Sight): void {
    this.endStall(sight);
    if (this.seek?.arrived === true) this.endSeek(sight);
    this.watch(sight);
    this.last = null;
    if (this.phase === "opened" || this.paused) return;
    this.paused = true;
    this.tellWatched(sight);
    this.tell("pause", sight);
  }

  /** The film plays on: after its start, a stall, a seek. */
  playing(sight: Sight): void {
    this.interrupted = false;
    this.endStall(sight);
    if (this.seek?.arrived === true) this.endSeek(sight);
    this.last = sight;
  }

  /** A picture is on the screen, and the film moves. */
  frame(sight: Sight): void {
    if (this.phase !== "asked") return;
    this.phase = "begun";
    this.interrupted = false;
    this.tell("first_frame", sight, { duration_ms: since(this.attemptAt, sight) });
    this.last = sight;
    this.tellPicture(sight);
  }

  /** A sample of the position. */
  moved(sight: Sight): void {
    const before = this.last;
    if (sight.ready && !this.paused && before !== null && sight.position > before.position) {
      // Some browsers say nothing when a film that stood still plays on.
      this.frame(sight);
      this.endStall(sight);
      if (this.seek?.arrived === true) this.endSeek(sight);
    }
    this.watch(sight);
  }

  waiting(sight: Sight): void {
    if (this.phase !== "begun" || this.paused || this.interrupted || this.seek !== null || this.stallAt !== null) return;
    this.watch(sight);
    this.stallAt = sight.at;
    this.tell("stall_begin", sight);
  }

  /** The element loads anew: what the player does to go on after a failure is a stall for the viewer. Its own seeks are none. */
  emptied(sight: Sight): void {
    if (this.seek === null) this.waiting(sight);
    else this.seek.arrived = false;
    this.last = null;
  }

  seeking(sight: Sight): void {
    if (this.phase !== "begun" || this.interrupted) return;
    if (this.stallAt !== null) {
      if (this.last === null || Math.abs(sight.position - this.last.position) < NUDGE_SECONDS) return;
      this.endStall(sight);
    }
    this.last = null;
    if (this.seek === null) this.seek = { at: sight.at, to: sight.position, arrived: false };
    else Object.assign(this.seek, { to: sight.position, arrived: false });
  }

  /** The new place is loaded. While the film is paused the seek is over; else when it plays on. */
  sought(sight: Sight): void {
    if (this.seek === null) return;
    Object.assign(this.seek, { to: sight.position, arrived: true });
    this.last = sight;
    if (this.paused) this.endSeek(sight);
  }

  /** What is shown from now on. `kbps` null: the browser does not say. */
  shown(sight: Sight, height: number, kbps: number | null): void {
    if (height <= 0) return;
    this.picture = { height, kbps };
    if (this.phase === "begun") this.tellPicture(sight);
  }

  /** `total`: of the element since it was loaded. */
  dropped(sight: Sight, total: number): void {
    const count = total < this.framesDropped ? total : total - this.framesDropped;
    this.framesDropped = total;
    if (count > 0 && this.phase === "begun") this.tell("dropped_frames", sight, { count });
  }

  /** `fatal`: the film stopped and the viewer was told. Else the player mends it. */
  failed(sight: Sight, code: string, fatal: boolean): void {
    if (!fatal) {
      if (sight.at - (this.faults.get(code) ?? Number.NEGATIVE_INFINITY) < SAME_FAULT_MS || this.mended >= MAX_MENDED) return;
      this.faults.set(code, sight.at);
      this.mended += 1;
    }
    if (this.phase === "opened") this.attempt(this.openedAt, sight);
    if (fatal) {
      this.interrupt(sight);
      this.tellWatched(sight);
    }
    this.tell("error", sight, { error_code: code.slice(0, 60), is_fatal: fatal });
  }

  /** Until the film plays again nothing is a stall or a seek. */
  interrupt(sight: Sight): void {
    this.watch(sight);
    this.endStall(sight);
    this.seek = null;
    this.last = null;
    this.interrupted = true;
  }

  /** Every `HEARTBEAT_MS`. A paused film has nothing to tell. */
  beat(sight: Sight): void {
    this.watch(sight);
    if (this.phase === "opened" || ((this.paused || this.interrupted) && this.watchedMs < 1)) return;
    this.tell("heartbeat", sight, { watched_ms: this.takeWatched() });
  }

  /** The viewer leaves. Who comes back to the same page goes on in the same session. */
  leave(sight: Sight): void {
    if (this.left) return;
    if (this.phase === "opened") {
      if (this.refused) return; // the film was never asked for
      this.attempt(this.openedAt, sight);
    }
    this.watch(sight);
    this.endStall(sight);
    this.tell("exit", sight, { watched_ms: this.takeWatched() });
    this.left = true;
  }

  private attempt(at: number, sight: Sight): void {
    this.phase = "asked";
    this.attemptAt = at;
    this.tell("attempt", { ...sight, at });
  }

  private endStall(sight: Sight): void {
    if (this.stallAt === null) return;
    this.tell("stall_end", sight, { duration_ms: since(this.stallAt, sight) });
    this.stallAt = null;
    this.last = sight;
  }

  private endSeek(sight: Sight): void {
    if (this.seek === null) return;
    this.tell("seek", { ...sight, position: this.seek.to }, { duration_ms: since(this.seek.at, sight) });
    this.seek = null;
    this.last = sight;
  }

  /** Counts the film that was shown since the last sample. */
  private watch(sight: Sight): void {
    const before = this.last;
    if (before === null || this.phase !== "begun" || this.paused || this.stallAt !== null || this.seek !== null || this.interrupted) return;
    this.last = sight;
    const seconds = sight.position - before.position;
    const passed = Math.max(0, sight.at - before.at) / 1000;
    if (seconds > 0 && seconds <= passed * Math.max(before.rate, sight.rate) + SPARE_SECONDS) this.watchedMs += seconds * 1000;
  }

  private tellWatched(sight: Sight): void {
    if (this.watchedMs >= 1) this.tell("heartbeat", sight, { watched_ms: this.takeWatched() });
  }

  private tellPicture(sight: Sight): void {
    if (this.picture === null) return;
    const { height, kbps } = this.picture;
    const name = `${height} ${kbps}`;
    if (name === this.toldPicture) return;
    this.toldPicture = name;
    this.tell("rendition", sight, kbps === null ? { height } : { height, kbps });
  }

  private takeWatched(): number {
    const whole = Math.floor(this.watchedMs);
    this.watchedMs -= whole;
    return whole;
  }

  private tell(kind: EventKind, sight: Sight, more: Partial<ViewedEvent> = {}): void {
    this.left = false;
    const position = Math.max(0, Math.round(sight.position * 1000) / 1000);
    this.emit({ kind, at_ms: Math.round(sight.at), ...(Number.isFinite(position) ? { position_seconds: position } : {}), ...more });
  }
}

function since(at: number, sight: Sight): number {
  return Math.max(0, Math.round(sight.at - at));
}
