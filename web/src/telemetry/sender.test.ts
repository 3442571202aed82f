import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Reply } from "../domain/telemetry";
import type { EventKind } from "../domain/viewing";

vi.stubGlobal("navigator", { onLine: true });

const facts = () => ({ player: "marquee-web/1", edge: "http://edge" });
const event = (kind: EventKind) => ({ kind, at_ms: 1 });
const taken: Reply = { status: 204, retryAfterSeconds: null };

async function sender(answer: (body: { events: { seq: number; kind: string }[] }) => Reply | Promise<Reply>) {
  const { Sender } = await import("./sender");
  const post = vi.fn(async (body: string) => answer(JSON.parse(body)));
  return { post, sender: new Sender(post, facts, () => Date.now()), seqs: () => post.mock.calls.map(([body]) => JSON.parse(body).events.map((one: { seq: number }) => one.seq)) };
}

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers();
  Object.assign(navigator, { onLine: true });
});
afterEach(() => vi.useRealTimers());

describe("sending", () => {
  it("gathers events, and sends the first picture and the exit at once", async () => {
    const { post, sender: it, seqs } = await sender(() => taken);
    it.add(event("attempt"));
    await vi.advanceTimersByTimeAsync(2000);
    expect(post).not.toHaveBeenCalled();
    it.add(event("first_frame"));
    await vi.advanceTimersByTimeAsync(0);
    expect(seqs()).toEqual([[0, 1]]);
    it.add(event("seek"));
    it.add(event("heartbeat"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seqs()).toEqual([[0, 1], [2, 3]]);
    expect(JSON.parse(post.mock.calls[0]![0])).toMatchObject({ player: "marquee-web/1", edge: "http://edge", sent_ms: expect.any(Number) });
  });
  it("has one request under way, and a second one on leaving", async () => {
    const { post, sender: it, seqs } = await sender(() => new Promise<Reply>(() => undefined));
    it.add(event("first_frame"));
    await vi.advanceTimersByTimeAsync(0);
    it.add(event("first_frame"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(post).toHaveBeenCalledTimes(1);
    it.add(event("exit"));
    it.leave(true);
    expect(seqs()).toEqual([[0], [1, 2]]);
  });
  it("ends in silence where it is blocked, and tries once with the next film", async () => {
    const { Sender } = await import("./sender");
    const post = vi.fn(async (): Promise<Reply> => {
      throw new TypeError("Failed to fetch");
    });
    const first = new Sender(post, facts, () => Date.now());
    for (let i = 0; i < 600; i += 1) {
      first.add(event("heartbeat"));
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(post).toHaveBeenCalledTimes(4);
    const second = new Sender(post, facts, () => Date.now());
    second.add(event("attempt"));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(post).toHaveBeenCalledTimes(5);
  });
  it("sends what did not arrive again, in order, with a time of its own", async () => {
    let down = true;
    const { post, sender: it, seqs } = await sender(() => (down ? { status: 502, retryAfterSeconds: null } : taken));
    it.add(event("first_frame"));
    await vi.advanceTimersByTimeAsync(0);
    it.add(event("pause"));
    down = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(seqs()).toEqual([[0], [0, 1]]);
    const [one, two] = post.mock.calls.map(([body]) => JSON.parse(body).sent_ms);
    expect(two).toBeGreaterThan(one);
  });
  it("waits as long as it is told to, on leaving too", async () => {
    const { post, sender: it } = await sender(() => ({ status: 429, retryAfterSeconds: 300 }));
    it.add(event("first_frame"));
    await vi.advanceTimersByTimeAsync(0);
    it.add(event("exit"));
    it.leave(true);
    it.wake();
    await vi.advanceTimersByTimeAsync(299_000);
    expect(post).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(post).toHaveBeenCalledTimes(2);
  });
  it("stops for good on a refusal", async () => {
    const { post, sender: it } = await sender(() => ({ status: 403, retryAfterSeconds: null }));
    for (let i = 0; i < 10; i += 1) {
      it.add(event("first_frame"));
      it.leave(true);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(post).toHaveBeenCalledTimes(1);
  });
  it("tries nothing while the device is offline, and goes on when it is not", async () => {
    const { post, sender: it } = await sender(() => taken);
    Object.assign(navigator, { onLine: false });
    it.add(event("first_frame"));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(post).not.toHaveBeenCalled();
    Object.assign(navigator, { onLine: true });
    it.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(post).toHaveBeenCalledTimes(1);
  });
});
