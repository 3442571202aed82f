/**
 * Sends a session's events to its `telemetry_url`, by requests that outlive the page. One request runs at a time, another one on
 * leaving. The film does not wait for it, and a failure is nobody's error: an ad blocker, an outage or a strange answer ends in silence.
 *
 * The URL's path alone is used, at the page's own origin: the policy of the pages allows no other, and a page may be open by
 * another name of the same host.
 */

import { Delivery, EventQueue, type Batch, type Reply } from "../domain/telemetry";
import { isOffline } from "../api/problem";
import { retryAfterSeconds } from "../domain/problems";
import type { ViewedEvent } from "../domain/viewing";

/** The answer may take this long. Nobody waits for it. */
const LIMIT_MS = 10_000;
/** Events wait for others, at most this long. */
const GATHER_MS = 10_000;
/** The attempt waits for the first frame, and leaves the line to the film's first segments. */
const ATTEMPT_GATHER_MS = 3000;
const AT_ONCE = new Set(["first_frame", "exit"]);
/** What came while a request ran follows it after this time. */
const NEXT_MS = 1000;

/** Gives the answer; throws where none came. */
export type Post = (body: string) => Promise<Reply>;

export interface Facts {
  /** The player's name and version. */
  player: string;
  /** Scheme, host and port of the edge. */
  edge: string;
}

export function postTo(url: string): Post {
  const { pathname } = new URL(url, location.href);
  return async (body) => {
    const response = await fetch(pathname, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      keepalive: true,
      credentials: "omit",
      cache: "no-store",
      redirect: "manual", // a network's login page is elsewhere, where the pages' policy allows nothing
      priority: "low",
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    void response.body?.cancel().catch(() => undefined);
    return { status: response.status, retryAfterSeconds: retryAfterSeconds(response.headers.get("Retry-After")) };
  };
}

/** Nothing of this page's earlier sessions ever arrived: something blocks them, and one try says so again. */
let blocked = false;

export class Sender {
  private readonly queue = new EventQueue();
  private readonly delivery = new Delivery(blocked ? 1 : undefined);
  private sending = false;
  private stopped = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private dueAt = Number.POSITIVE_INFINITY;
  private notBefore = 0;
  /** The platform itself asked for the wait. */
  private toldToWait = false;

  constructor(
    private readonly post: Post,
    private readonly facts: () => Facts,
    private readonly now: () => number = () => performance.now(),
  ) {}

  add(event: ViewedEvent): void {
    if (this.stopped) return;
    this.queue.add(event);
    const fatal = event.kind === "error" && event.is_fatal === true;
    this.schedule(AT_ONCE.has(event.kind) || fatal ? 0 : event.kind === "attempt" ? ATTEMPT_GATHER_MS : GATHER_MS);
  }

  /** The page may end now: what fits is sent, also beside a request that is under way. `last`: it does end. */
  leave(last: boolean): void {
    if (this.stopped || (this.toldToWait && this.now() < this.notBefore)) return;
    const batch = this.queue.take(last);
    if (batch !== null) void this.send(batch);
  }

  /** The device is online again. */
  wake(): void {
    if (!this.toldToWait) this.notBefore = 0;
    if (this.queue.length > 0) this.schedule(0);
  }

  private schedule(inMs: number): void {
    if (this.stopped) return;
    const dueAt = Math.max(this.now() + inMs, this.notBefore);
    if (dueAt >= this.dueAt) return;
    clearTimeout(this.timer);
    this.dueAt = dueAt;
    this.timer = setTimeout(() => this.flush(), dueAt - this.now());
  }

  private flush(): void {
    this.dueAt = Number.POSITIVE_INFINITY;
    // What comes meanwhile is sent after this request. Without a network nothing is tried: `wake` goes on.
    if (this.sending || this.stopped || isOffline()) return;
    if (this.now() < this.notBefore) return this.schedule(0);
    const batch = this.queue.take();
    if (batch === null) return;
    this.sending = true;
    void this.send(batch).then(() => (this.sending = false));
  }

  private async send(batch: Batch): Promise<void> {
    let reply: Reply = { status: 0, retryAfterSeconds: null };
    try {
      reply = await this.post(JSON.stringify({ sent_ms: Math.round(this.now()), ...this.facts(), events: batch.events }));
    } catch {
      // No answer: blocked, offline, timed out. What follows is decided below, as for any other answer.
    }
    if (this.stopped) return;
    const verdict = this.delivery.next(reply);
    this.toldToWait = false;
    if (verdict === "sent") this.queue.done(batch);
    else if (verdict === "discard") this.queue.refused(batch);
    else if (verdict === "stop") this.stop(reply.status === 0 && this.delivery.neverSent);
    else {
      this.toldToWait = reply.retryAfterSeconds !== null;
      this.notBefore = this.now() + verdict.waitMs;
      this.queue.back(batch);
    }
    if (verdict === "sent") blocked = false;
    if (this.queue.length > 0) this.schedule(NEXT_MS);
  }

  private stop(unreached: boolean): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.queue.clear();
    if (unreached) blocked = true;
  }
}
