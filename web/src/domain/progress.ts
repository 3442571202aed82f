/**
 * Reports the viewer's position: a sample every 4 s while the film plays, on pause, and when the page is hidden. A sample
 * carries its age, so the server can order samples that arrive late. A sample that could not be sent is kept until a newer one
 * replaces it: only the newest position matters.
 *
 * The age is the longer one of two clocks. The monotonic clock of some systems stands still while the device sleeps, and the wall
 * clock can be set back. A sample that seems older than it is loses against newer ones; one that seems younger would overwrite them.
 */

export const PROGRESS_EVERY_MS = 4000;
/** The platform's bound of an age: a year. */
const MAX_AGE_MS = 365 * 24 * 3600 * 1000;

export interface ProgressSample {
  position_seconds: number;
  age_ms: number;
}

/** Resolves true when the platform acknowledged the sample. */
export type SendProgress = (sample: ProgressSample, leaving: boolean) => Promise<boolean>;

export class ProgressReporter {
  private newest: { position: number; at: number; wallAt: number } | null = null;
  private sentAt = Number.NEGATIVE_INFINITY;
  private sending = false;
  /** The viewer paused or sought while a sample was being sent. */
  private stoppedMeanwhile = false;

  constructor(
    private readonly send: SendProgress,
    private readonly now: () => number = () => performance.now(),
    private readonly wall: () => number = () => Date.now(),
  ) {}

  /** Note the position while the film plays. Sends once 4 s have passed since the last sample. */
  played(position: number): void {
    this.note(position);
    if (this.now() - this.sentAt >= PROGRESS_EVERY_MS) void this.flush();
  }

  /** Paused, sought or ended: send at once, or as soon as the sample that is being sent has finished. */
  stopped(position: number): void {
    this.note(position);
    this.stoppedMeanwhile = this.sending;
    void this.flush();
  }

  /** The page closes: send without waiting for an earlier sample, in a request that outlives the page. */
  leaving(position: number): void {
    this.note(position);
    void this.flush(true);
  }

  /** Send the kept sample, if there is one. At most one request runs at a time, unless the page closes. */
  async flush(leaving = false): Promise<void> {
    const sample = this.newest;
    if (sample === null || (this.sending && !leaving)) return;
    const age = Math.min(MAX_AGE_MS, Math.max(0, Math.round(this.now() - sample.at), Math.round(this.wall() - sample.wallAt)));
    this.sentAt = this.now();
    this.sending = true;
    let acknowledged = false;
    try {
      acknowledged = await this.send({ position_seconds: sample.position, age_ms: age }, leaving);
    } catch {
      acknowledged = false;
    } finally {
      this.sending = false;
    }
    if (acknowledged && this.newest === sample) this.newest = null;
    if (this.stoppedMeanwhile) {
      this.stoppedMeanwhile = false;
      void this.flush();
    }
  }

  private note(position: number): void {
    if (!Number.isFinite(position) || position < 0) return;
    this.newest = { position: Math.round(position * 1000) / 1000, at: this.now(), wallAt: this.wall() };
  }
}
