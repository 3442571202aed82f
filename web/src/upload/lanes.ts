/**
 * How many parts are sent at once: as many as the line carries at a good pace each.
 *
 * S3's proxy ends a part that is too slow. Three parts at once share the line, so on a slow one all three would end, be sent
 * again, and end again. An upload starts with one part; each part that was sent says how fast the line is; a part that was
 * ended as too slow leaves one lane. `marquee/client/lanes.py` has the same rule for the CLI.
 */

/** Eight times the minimum of S3's proxy by default. */
export const LANE_BYTES_PER_SECOND = 256 * 1024;

export class Lanes {
  private limit = 1;
  private running = 0;
  private waiting: (() => void)[] = [];

  constructor(private readonly most: number) {}

  /** Runs `send` when there is room for one more part. */
  async one(send: () => Promise<void>): Promise<void> {
    while (this.running >= this.limit) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running += 1;
    try {
      await send();
    } finally {
      this.running -= 1;
      for (const resume of this.waiting.splice(0)) resume();
    }
  }

  /** Called inside `one`: a part of this size took so long. */
  sent(bytes: number, ms: number): void {
    const line = (bytes * this.running * 1000) / Math.max(ms, 1);
    this.limit = Math.max(1, Math.min(this.most, Math.floor(line / LANE_BYTES_PER_SECOND)));
  }

  /** A part was ended because it came too slowly. */
  tooSlow(): void {
    this.limit = 1;
  }
}
