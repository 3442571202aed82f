/**
 * Events that wait to be sent: how many are kept, which leave first, what a batch holds, and what an answer means. Pure.
 * `telemetry/sender.ts` carries it out. Nothing here may matter to the viewer: where the platform does not take the events, they are lost.
 */

import type { ViewedEvent } from "./viewing";

/** An event with its number in the session. The platform knows one that is sent twice by it, and one that was dropped by the gap. */
export interface NumberedEvent extends ViewedEvent {
  seq: number;
}

export const MAX_QUEUED = 400;
/** Below the 200 that the platform takes. */
export const MAX_BATCH_EVENTS = 150;
/** A browser lets 64 kB of `keepalive` requests run at once. Two batches may: the one under way and the one on leaving. */
export const MAX_BATCH_BYTES = 28_000;
/** The platform's bound of `watched_ms`. */
const MAX_WATCHED_MS = 10 * 60 * 1000;

interface Held {
  event: NumberedEvent;
  bytes: number;
  /** It was sent, perhaps in vain. */
  tried: boolean;
}

export interface Batch {
  events: NumberedEvent[];
}

export class EventQueue {
  private held: Held[] = [];
  private inFlight: Held[] = [];
  private nextSeq = 0;
  /** How many events were given up. */
  dropped = 0;

  get length(): number {
    return this.held.length;
  }

  add(event: ViewedEvent): void {
    this.held.push(hold({ seq: this.nextSeq, ...event }));
    this.nextSeq += 1;
    while (this.held.length + this.inFlight.length > MAX_QUEUED && this.held.length > 1) this.dropOne();
  }

  /** The oldest events that fit into one request. `last`: no other follows, so all that do not fit are dropped, heartbeats first. */
  take(last = false): Batch | null {
    if (last) while (this.fitting() < this.held.length) this.dropOne();
    const count = this.fitting();
    if (count === 0) return null;
    const taken = this.held.splice(0, count);
    for (const one of taken) one.tried = true;
    this.inFlight.push(...taken);
    return { events: taken.map((one) => one.event) };
  }

  /** The platform has them, or will never take them. */
  done(batch: Batch): void {
    const gone = new Set(batch.events);
    this.inFlight = this.inFlight.filter((one) => !gone.has(one.event));
  }

  refused(batch: Batch): void {
    this.dropped += batch.events.length;
    this.done(batch);
  }

  /** To be sent again, before what came after it. */
  back(batch: Batch): void {
    const again = new Set(batch.events);
    const returned = this.inFlight.filter((one) => again.has(one.event));
    this.done(batch);
    this.held = [...returned, ...this.held].sort((a, b) => a.event.seq - b.event.seq);
    while (this.held.length + this.inFlight.length > MAX_QUEUED && this.held.length > 1) this.dropOne();
  }

  clear(): void {
    this.dropped += this.held.length + this.inFlight.length;
    this.held = [];
    this.inFlight = [];
  }

  private fitting(): number {
    let bytes = 0;
    let count = 0;
    for (const one of this.held) {
      bytes += one.bytes;
      if (count >= MAX_BATCH_EVENTS || bytes > MAX_BATCH_BYTES) break;
      count += 1;
    }
    return count;
  }

  /** The oldest heartbeat; without one the oldest event. The film that a heartbeat counted is counted by the next one. */
  private dropOne(): void {
    const beat = this.held.findIndex(({ event }) => event.kind === "heartbeat");
    const at = Math.max(0, beat);
    const [gone] = this.held.splice(at, 1);
    this.dropped += 1;
    // What was sent in vain may have arrived all the same: its film is not counted twice.
    if (gone === undefined || gone.tried || gone.event.watched_ms === undefined) return;
    const heir = this.held.findIndex(({ event, tried }, place) => place >= at && !tried && event.watched_ms !== undefined);
    const next = this.held[heir];
    if (next === undefined) return;
    const watched = (next.event.watched_ms ?? 0) + gone.event.watched_ms;
    this.held[heir] = hold({ ...next.event, watched_ms: Math.min(MAX_WATCHED_MS, watched) });
  }
}

function hold(event: NumberedEvent): Held {
  return { event, bytes: JSON.stringify(event).length + 1, tried: false };
}

/** What came back. `status` 0: no answer, or a redirect. */
export interface Reply {
  status: number;
  retryAfterSeconds: number | null;
}

/** `sent`: taken. `discard`: this batch is never taken. `stop`: no event of this session is. Else: again after this wait. */
export type Verdict = "sent" | "discard" | "stop" | { waitMs: number };

/** In a row, where the platform has taken something before, or asked for patience itself. 20 minutes. */
const MAX_TRIES = 8;
/** Where nothing was ever taken: an ad blocker, a network that lets nothing through. */
const MAX_FIRST_TRIES = 4;
const MAX_DISCARDED = 3;

/** What each answer means for the session. */
export class Delivery {
  private failures = 0;
  private discarded = 0;
  private everSent = false;

  /** `firstTries`: how often it is tried where nothing was ever taken. */
  constructor(private readonly firstTries: number = MAX_FIRST_TRIES) {}

  /** Nothing of the session ever arrived. */
  get neverSent(): boolean {
    return !this.everSent;
  }

  next({ status, retryAfterSeconds }: Reply, chance: number = Math.random()): Verdict {
    if (status === 204) {
      this.failures = this.discarded = 0;
      this.everSent = true;
      return "sent";
    }
    if ([401, 403, 404, 405, 410, 501].includes(status)) return "stop";
    if ([400, 413, 415, 422].includes(status)) {
      this.discarded += 1;
      return this.discarded >= MAX_DISCARDED ? "stop" : "discard";
    }
    // No answer, an outage, a limit, or a page of something in between, which comes with any status.
    this.failures += 1;
    const told = (status === 429 || status === 503) && retryAfterSeconds !== null;
    if (this.failures >= (this.everSent || told ? MAX_TRIES : this.firstTries)) return "stop";
    return { waitMs: Math.max(waitMs(this.failures, chance), told ? 1000 * spread(retryAfterSeconds, chance) : 0) };
  }
}

/** 2 s, 8 s, 32 s, then 5 minutes: half of each at random, because clients of a failed platform must not come back all at once. */
function waitMs(failures: number, chance: number): number {
  return Math.min(300_000, 500 * 4 ** failures) * (0.5 + chance / 2);
}

/** Retry-After is the least. Up to a tenth more spreads the clients. */
function spread(seconds: number, chance: number): number {
  return seconds * (1 + chance / 10);
}
