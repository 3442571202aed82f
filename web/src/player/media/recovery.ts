/**
 * Carries out the rules of `domain/failures.ts`: one step at a time, with pauses, up to an end; then it tells the viewer. A film that
 * still plays from what is loaded is not interrupted. Its watchdog also sees a film that stands still without any error.
 *
 * A `Source` is what loads the film. Once the viewer was told, the source is stopped for good: the player opens a new one.
 */

import { asProblem, isOffline } from "../../api/problem";
import { RULES, Tries, Watchdog, type Action, type Kind } from "../../domain/failures";
import type { Failure, MediaOwner } from "./contract";

const SAMPLE_MS = 500;
/** The film stands still for so long that a viewer sees it. */
const STILL_SECONDS = 1.5;

export interface Source {
  /** Go on after a failed request, from the same address. */
  resume(): void;
  /**
   * Go on by a fresh address at the viewer's position. `whole`: what is loaded is not trusted and is loaded again. `play`: the viewer
   * watches, so play once something is there; an element that is loaded anew is paused.
   */
  restart(url: string, whole: boolean, play: boolean): void;
  /** A new decoder for what is loaded. */
  mend(play: boolean): void;
  /** Ends every request that is under way. */
  stop(): void;
  /** Changes whenever anything of the film arrives. */
  arrived(): number;
  /** Whether it loads before the viewer presses play. */
  readonly preloads: boolean;
}

function failureOf(kind: Kind, resumesInSeconds: number | null): Failure {
  const { words, help, place = false } = RULES[kind];
  return { code: kind, words, help, place, resumesInSeconds };
}

export class Recovery {
  private readonly tries = new Tries();
  private readonly watchdog = new Watchdog();
  private readonly sampler: number;
  private sampledAt = performance.now();
  private stillSince = 0;
  private step = 0;
  private stepping = false;
  private lastKind: Kind | null = null;
  private faultAt = Number.NEGATIVE_INFINITY;
  /** Nothing more is tried. The viewer is told once the film stands still. */
  private resting: Failure | null = null;
  private dueAt: number | null = null;
  private restartedTo: number | null = null;
  /** The viewer watches: pressed play last, not pause. */
  private watched: boolean;
  private ended = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly owner: MediaOwner,
    private readonly source: Source,
  ) {
    this.watched = !video.paused;
    this.sampler = window.setInterval(() => this.sample(), SAMPLE_MS);
    video.addEventListener("seeking", this.onSeeking);
    video.addEventListener("play", this.onPlay);
    video.addEventListener("pause", this.onPause);
    window.addEventListener("online", this.wake);
  }

  /** How often in a row something was tried without the film getting any further. */
  get tried(): number {
    return this.tries.count;
  }

  /** Nothing is loaded any more: the viewer was told or will be, or the stream is closed. */
  get restsOrEnded(): boolean {
    return this.ended || this.resting !== null;
  }

  /** Something failed within the last minute. */
  get hadFault(): boolean {
    return performance.now() - this.faultAt < 60_000;
  }

  /** A failure that stops the film sooner or later. Others of the same moment are ignored. */
  fault(kind: Kind, retryAfter: number | null = null): void {
    if (this.ended || this.stepping || this.resting !== null) return;
    const met: Kind = isOffline() && RULES[kind].help === "again" ? "offline" : kind;
    this.lastKind = met;
    this.faultAt = performance.now();
    const next = this.tries.next(met, this.loadedTo(), retryAfter);
    if (next === null) {
      this.rest(failureOf(met, retryAfter));
      return;
    }
    this.stepping = true;
    this.owner.fault(met);
    if (next.action !== "mend") this.source.stop();
    this.dueAt = performance.now() + next.waitSeconds * 1000;
    this.step = window.setTimeout(() => void this.carryOut(next.action), next.waitSeconds * 1000);
  }

  close(): void {
    this.ended = true;
    clearTimeout(this.step);
    clearInterval(this.sampler);
    this.video.removeEventListener("seeking", this.onSeeking);
    this.video.removeEventListener("play", this.onPlay);
    this.video.removeEventListener("pause", this.onPause);
    window.removeEventListener("online", this.wake);
  }

  private async carryOut(action: Action): Promise<void> {
    this.dueAt = null;
    try {
      this.restartedTo = this.owner.position();
      if (action === "mend") this.source.mend(this.watched);
      else if (action === "resume") this.source.resume();
      else {
        const url = await this.owner.renew();
        if (this.ended) return;
        this.restartedTo = this.owner.position();
        this.source.restart(url, action === "reload", this.watched);
      }
      this.stepping = false;
    } catch (error) {
      this.stepping = false;
      if (this.ended) return;
      const problem = asProblem(error);
      if (problem.help !== "again") this.rest({ code: problem.code, words: problem.detail, help: problem.help, resumesInSeconds: null, place: false });
      else this.fault(problem.status === 0 ? "unreachable" : problem.status === 429 || problem.status === 503 ? "busy" : "failing", problem.retryAfterSeconds);
    }
  }

  private sample(): void {
    const now = performance.now();
    const seconds = (now - this.sampledAt) / 1000;
    this.sampledAt = now;
    const { video } = this;
    this.tries.gotTo(this.loadedTo());
    const ready = video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && !video.seeking;
    const begins = this.source.preloads && video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA;
    // A browser may suspend the picture of a tab that nobody sees.
    const broken = video.error !== null;
    const wanted = !video.ended && (!video.paused || begins || broken) && !(document.hidden && ready);
    const verdict = this.watchdog.sample(seconds, { position: this.owner.position(), arrived: this.source.arrived(), wanted, ready });
    this.stillSince = verdict === "moves" ? 0 : this.stillSince + Math.min(2, seconds);
    this.owner.waits(verdict !== "moves" && verdict !== "still");
    if (this.resting !== null) {
      if (this.stillSince >= STILL_SECONDS) this.tell(this.resting);
    } else if (verdict === "line" || verdict === "told") {
      const kind = verdict === "line" ? "line" : isOffline() ? "offline" : (this.lastKind ?? (ready ? "stuck" : "stalled"));
      const due = this.dueAt === null ? null : Math.max(1, (this.dueAt - now) / 1000);
      this.tell(failureOf(kind, due));
    } else if ((verdict === "stalled" || verdict === "stuck") && this.tries.count === 0) {
      this.fault(verdict);
    } else if (verdict === "moves" && this.tries.count === 0) {
      this.lastKind = null;
    }
  }

  private rest(failure: Failure): void {
    this.source.stop();
    this.resting = failure;
  }

  private tell(failure: Failure): void {
    this.close();
    this.source.stop();
    this.owner.waits(false);
    this.owner.failed(failure);
  }

  /** The viewer presses play, or the device is online again: what has failed may succeed now. */
  private readonly wake = (): void => {
    if (this.ended || this.resting === null || this.resting.help !== "again" || this.lastKind === null) return;
    this.resting = null;
    this.tries.reset();
    this.fault(this.lastKind === "offline" ? "unreachable" : this.lastKind);
  };

  private readonly onPlay = (): void => {
    this.watched = true;
    this.wake();
  };

  private readonly onPause = (): void => {
    this.watched = false;
  };

  private readonly onSeeking = (): void => {
    // Loading anew seeks too: to 0, then to where the viewer was.
    if (this.video.currentTime === 0 && this.owner.position() > 1) return;
    if (this.restartedTo !== null && Math.abs(this.video.currentTime - this.restartedTo) < 1) return;
    this.restartedTo = null;
    this.tries.reset();
    this.wake();
  };

  /** How far the film is loaded without a gap from where the viewer is. */
  private loadedTo(): number {
    const { buffered, currentTime } = this.video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) <= currentTime + 0.5 && buffered.end(i) >= currentTime) return buffered.end(i);
    }
    return currentTime;
  }
}
