import { describe, expect, it } from "vitest";
import { Delivery, EventQueue, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_QUEUED, type Reply } from "./telemetry";
import type { EventKind, ViewedEvent } from "./viewing";

const event = (kind: EventKind, more: Partial<ViewedEvent> = {}): ViewedEvent => ({ kind, at_ms: 1, ...more });
const filled = (count: number, kind: EventKind = "heartbeat", more: Partial<ViewedEvent> = {}) => {
  const queue = new EventQueue();
  for (let i = 0; i < count; i += 1) queue.add(event(kind, more));
  return queue;
};
const drained = (queue: EventQueue) => {
  const all = [];
  for (let batch = queue.take(); batch !== null; batch = queue.take()) all.push(...batch.events);
  return all;
};
const reply = (status: number, retryAfterSeconds: number | null = null): Reply => ({ status, retryAfterSeconds });

describe("waiting events", () => {
  it("are numbered, and sent in order in batches that fit", () => {
    const queue = filled(320, "seek");
    const batch = queue.take()!;
    expect(batch.events).toHaveLength(MAX_BATCH_EVENTS);
    queue.done(batch);
    expect(drained(queue).map(({ seq }) => seq)).toEqual(Array.from({ length: 170 }, (_, i) => i + 150));
  });
  it("fit into the bytes of a request that outlives the page", () => {
    const queue = filled(150, "error", { error_code: "x".repeat(60), is_fatal: false, position_seconds: 1234.567 });
    for (let i = 0; i < 150; i += 1) queue.add(event("error", { error_code: "é".repeat(400) }));
    for (let batch = queue.take(); batch !== null; batch = queue.take()) {
      expect(JSON.stringify(batch.events).length).toBeLessThan(MAX_BATCH_BYTES + 1000);
      expect(batch.events.length).toBeGreaterThan(0);
    }
  });
  it("come again in their order when they did not arrive, before what came meanwhile", () => {
    const queue = filled(2, "seek");
    const batch = queue.take()!;
    queue.add(event("pause"));
    queue.back(batch);
    expect(drained(queue).map(({ seq }) => seq)).toEqual([0, 1, 2]);
  });
  it("are bounded: the oldest heartbeats leave first, their film counts with the next one, and all are counted", () => {
    const queue = new EventQueue();
    queue.add(event("attempt"));
    for (let i = 0; i < 1000; i += 1) queue.add(event("heartbeat", { watched_ms: 100 }));
    queue.add(event("exit", { watched_ms: 5 }));
    expect(queue.length).toBe(MAX_QUEUED);
    expect(queue.dropped).toBe(1002 - MAX_QUEUED);
    const all = drained(queue);
    expect(all[0]?.kind).toBe("attempt");
    expect(all.at(-1)?.kind).toBe("exit");
    expect(all.reduce((sum, { watched_ms = 0 }) => sum + watched_ms, 0)).toBe(100_005);
    expect(new Set(all.map(({ seq }) => seq)).size).toBe(MAX_QUEUED);
  });
  it("do not count film twice of what may have arrived", () => {
    const queue = filled(1, "heartbeat", { watched_ms: 9000 });
    queue.back(queue.take()!);
    for (let i = 0; i < MAX_QUEUED; i += 1) queue.add(event("heartbeat", { watched_ms: 1 }));
    expect(drained(queue).reduce((sum, { watched_ms = 0 }) => sum + watched_ms, 0)).toBe(MAX_QUEUED);
  });
  it("are one batch at the end: what does not fit is given up, heartbeats first", () => {
    const queue = filled(200, "heartbeat", { watched_ms: 10 });
    queue.add(event("exit", { watched_ms: 0 }));
    const batch = queue.take(true)!;
    expect(batch.events).toHaveLength(MAX_BATCH_EVENTS);
    expect(batch.events.at(-1)?.kind).toBe("exit");
    expect(queue.length).toBe(0);
    expect(batch.events.reduce((sum, { watched_ms = 0 }) => sum + watched_ms, 0)).toBe(2000);
  });
  it("are bounded while nothing arrives and all are under way", () => {
    const queue = filled(MAX_QUEUED, "seek");
    const under = [queue.take()!, queue.take()!, queue.take()!];
    for (let i = 0; i < 2000; i += 1) queue.add(event("seek"));
    for (const batch of under) queue.back(batch);
    expect(queue.length).toBeLessThanOrEqual(MAX_QUEUED);
  });
});

describe("an answer", () => {
  it("of the platform ends the wait", () => {
    expect(new Delivery().next(reply(204))).toBe("sent");
  });
  it.each([401, 403, 404, 405, 410, 501])("of %i ends the session's reports", (status) => {
    expect(new Delivery().next(reply(status))).toBe("stop");
  });
  it.each([400, 413, 415, 422])("of %i gives one batch up, and three in a row all", (status) => {
    const delivery = new Delivery();
    expect([1, 2, 3].map(() => delivery.next(reply(status)))).toEqual(["discard", "discard", "stop"]);
  });
  it.each([0, 200, 302, 418, 500, 502, 503])("of %i is tried again after growing waits, up to an end", (status) => {
    const delivery = new Delivery();
    const verdicts = [1, 2, 3, 4].map(() => delivery.next(reply(status), 1));
    expect(verdicts).toEqual([{ waitMs: 2000 }, { waitMs: 8000 }, { waitMs: 32_000 }, "stop"]);
  });
  it("that asks for a wait gets it, and a tenth more at most", () => {
    for (const status of [429, 503]) {
      for (const chance of [0, 0.5, 1]) {
        const verdict = new Delivery().next(reply(status, 100), chance);
        expect(verdict).toMatchObject({ waitMs: expect.any(Number) });
        const { waitMs } = verdict as { waitMs: number };
        expect(waitMs).toBeGreaterThanOrEqual(100_000);
        expect(waitMs).toBeLessThanOrEqual(110_001);
      }
    }
  });
  it("that is missing for a while is waited for longer once something has arrived", () => {
    const delivery = new Delivery();
    delivery.next(reply(204));
    const verdicts = Array.from({ length: 8 }, () => delivery.next(reply(0)));
    expect(verdicts.slice(0, 7)).not.toContain("stop");
    expect(verdicts[7]).toBe("stop");
  });
  it("spreads clients: half of a wait is random", () => {
    const waits = [0, 1].map((chance) => (new Delivery().next(reply(0), chance) as { waitMs: number }).waitMs);
    expect(waits).toEqual([1000, 2000]);
  });
});
