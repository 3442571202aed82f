import { beforeEach, describe, expect, it } from "vitest";
import { Viewing, type Sight, type ViewedEvent } from "./viewing";

let told: ViewedEvent[];
let viewing: Viewing;
const sight = (seconds: number, position = 0, more: Partial<Sight> = {}): Sight => ({ at: seconds * 1000, position, rate: 1, ready: true, ...more });
const kinds = () => told.map(({ kind }) => kind);
const last = () => told.at(-1);
const watched = () => told.reduce((sum, { watched_ms = 0 }) => sum + watched_ms, 0);

/** The film plays from `from` to `to`, sampled four times a second, beginning at this time. */
function plays(at: number, from: number, to: number, rate = 1): number {
  let time = at;
  for (let position = from; position < to; position += 0.25 * rate) {
    viewing.moved(sight(time, position, { rate }));
    time += 0.25;
  }
  viewing.moved(sight(time, to, { rate }));
  return time;
}

function begins(): void {
  viewing.play(sight(1));
  viewing.playing(sight(1.5));
  viewing.frame(sight(1.6));
}

beforeEach(() => {
  told = [];
  viewing = new Viewing((event) => told.push(event), 200);
});

describe("a start", () => {
  it("counts from when the viewer opened the film, to the first picture", () => {
    begins();
    expect(kinds()).toEqual(["attempt", "first_frame"]);
    expect(told[0]).toMatchObject({ at_ms: 200 });
    expect(told[1]).toMatchObject({ at_ms: 1600, duration_ms: 1400 });
  });
  it("counts from the press where the browser does not begin by itself", () => {
    viewing.refusedToBegin();
    viewing.play(sight(60));
    viewing.playing(sight(60.1));
    viewing.frame(sight(60.2));
    expect(told[0]).toMatchObject({ kind: "attempt", at_ms: 60_000 });
    expect(told[1]).toMatchObject({ kind: "first_frame", duration_ms: 200 });
  });
  it("is seen by the moving position where the browser tells of no frames", () => {
    viewing.play(sight(1));
    viewing.playing(sight(1.5));
    viewing.moved(sight(1.7, 0.2));
    expect(kinds()).toEqual(["attempt", "first_frame"]);
  });
  it("has no stall and no seek: the film seeks to where the viewer was", () => {
    viewing.play(sight(1));
    viewing.waiting(sight(1));
    viewing.seeking(sight(1.1, 300));
    viewing.sought(sight(1.2, 300));
    viewing.playing(sight(1.3, 300));
    viewing.frame(sight(1.4, 300));
    expect(kinds()).toEqual(["attempt", "first_frame"]);
    expect(last()).toMatchObject({ position_seconds: 300 });
  });
  it("that the viewer does not wait for is an attempt and an exit", () => {
    viewing.leave(sight(3));
    expect(kinds()).toEqual(["attempt", "exit"]);
  });
  it("that was never asked for is nothing", () => {
    viewing.refusedToBegin();
    viewing.shown(sight(2), 720, 3000);
    viewing.leave(sight(3));
    expect(told).toEqual([]);
  });
  it("that fails is an attempt and a fatal error, also before play", () => {
    viewing.failed(sight(3), "unsupported", true);
    viewing.leave(sight(9));
    expect(kinds()).toEqual(["attempt", "error", "exit"]);
    expect(told[1]).toMatchObject({ error_code: "unsupported", is_fatal: true });
  });
  it("that is tried again counts from the second press", () => {
    viewing.play(sight(1));
    viewing.failed(sight(20), "unreachable", true);
    viewing.play(sight(100));
    viewing.playing(sight(101));
    viewing.frame(sight(101));
    expect(last()).toMatchObject({ kind: "first_frame", duration_ms: 1000 });
  });
});

describe("a stall", () => {
  beforeEach(begins);
  it("is from when the film stands still to when it plays on", () => {
    plays(2, 0, 5);
    viewing.waiting(sight(7, 5));
    viewing.waiting(sight(7.5, 5));
    viewing.playing(sight(9.25, 5));
    expect(kinds().slice(2)).toEqual(["stall_begin", "stall_end"]);
    expect(last()).toMatchObject({ duration_ms: 2250, position_seconds: 5 });
  });
  it("ends where the browser says nothing but the position moves", () => {
    viewing.waiting(sight(3, 1));
    viewing.moved(sight(4, 1, { ready: false }));
    viewing.moved(sight(5, 1.2));
    expect(last()).toMatchObject({ kind: "stall_end", duration_ms: 2000 });
  });
  it("is not what a seek costs", () => {
    viewing.seeking(sight(3, 40));
    viewing.waiting(sight(3.1, 40));
    viewing.sought(sight(5, 40));
    viewing.waiting(sight(5.1, 40));
    viewing.playing(sight(6, 40));
    expect(kinds().slice(2)).toEqual(["seek"]);
    expect(last()).toMatchObject({ duration_ms: 3000, position_seconds: 40 });
  });
  it("holds the small jumps by which the player goes on", () => {
    plays(2, 0, 5);
    viewing.waiting(sight(7, 5));
    viewing.seeking(sight(8, 5.1, { ready: false }));
    viewing.moved(sight(8, 5.1, { ready: false }));
    viewing.sought(sight(8.5, 5.1));
    viewing.playing(sight(9, 5.1));
    expect(kinds().slice(2)).toEqual(["stall_begin", "stall_end"]);
    expect(last()).toMatchObject({ duration_ms: 2000 });
  });
  it("ends when the viewer seeks away from it, pauses, or leaves", () => {
    for (const [end, kind] of [
      [() => viewing.seeking(sight(9, 60)), "seek"],
      [() => viewing.pause(sight(9, 5)), "pause"],
      [() => viewing.leave(sight(9, 5)), "exit"],
    ] as const) {
      told = [];
      viewing = new Viewing((event) => told.push(event), 0);
      begins();
      viewing.waiting(sight(7, 5));
      end();
      if (kind === "seek") {
        viewing.sought(sight(10, 60));
        viewing.playing(sight(10, 60));
      }
      expect(kinds().slice(2).filter((one) => one !== "heartbeat")).toEqual(["stall_begin", "stall_end", kind]);
      expect(told[3]).toMatchObject({ duration_ms: 2000 });
    }
  });
  it("is what the player's own loading anew costs, with its seeks", () => {
    viewing.emptied(sight(5, 30));
    viewing.seeking(sight(5.5, 0));
    viewing.seeking(sight(6, 30));
    viewing.sought(sight(6.5, 30));
    viewing.play(sight(6.5, 30));
    viewing.playing(sight(7, 30));
    expect(kinds().slice(2)).toEqual(["stall_begin", "stall_end"]);
    expect(last()).toMatchObject({ duration_ms: 2000 });
  });
  it("is not what a choice of the viewer, or a told failure, costs", () => {
    viewing.interrupt(sight(5, 30));
    viewing.emptied(sight(5, 30));
    viewing.waiting(sight(5, 0));
    viewing.seeking(sight(6, 30));
    viewing.sought(sight(6, 30));
    viewing.playing(sight(7, 30));
    expect(kinds().slice(2)).toEqual([]);
    viewing.waiting(sight(9, 32));
    expect(last()?.kind).toBe("stall_begin");
  });
  it("is nothing while the film is paused", () => {
    viewing.pause(sight(5, 3));
    viewing.waiting(sight(6, 3));
    expect(kinds()).not.toContain("stall_begin");
  });
});

describe("a seek", () => {
  beforeEach(begins);
  it("of several presses is one, to the last place", () => {
    for (const [at, to] of [[3, 10], [3.2, 20], [3.4, 30]] as const) viewing.seeking(sight(at, to));
    viewing.sought(sight(4, 30));
    viewing.moved(sight(4.5, 30.1));
    expect(kinds().slice(2)).toEqual(["seek"]);
    expect(last()).toMatchObject({ duration_ms: 1500, position_seconds: 30 });
  });
  it("while paused is over when the place is loaded", () => {
    viewing.pause(sight(3, 2));
    viewing.seeking(sight(4, 50));
    viewing.sought(sight(4.5, 50));
    expect(last()).toMatchObject({ kind: "seek", duration_ms: 500, position_seconds: 50 });
  });
  it("goes on while the player loads anew", () => {
    viewing.seeking(sight(3, 50));
    viewing.emptied(sight(5, 50));
    viewing.seeking(sight(6, 50));
    viewing.sought(sight(7, 50));
    viewing.playing(sight(8, 50));
    expect(kinds().slice(2)).toEqual(["seek"]);
    expect(last()).toMatchObject({ duration_ms: 5000 });
  });
});

describe("watched time", () => {
  beforeEach(begins);
  it("is the film that was shown", () => {
    plays(2, 0, 9);
    viewing.beat(sight(11, 9));
    expect(watched()).toBe(9000);
    viewing.beat(sight(11.1, 9));
    expect(watched()).toBe(9000);
  });
  it("leaves out pauses, stalls and what was jumped over", () => {
    plays(2, 0, 4);
    viewing.pause(sight(6, 4));
    viewing.play(sight(600, 4));
    plays(600, 4, 6);
    viewing.waiting(sight(602, 6));
    viewing.playing(sight(660, 6));
    plays(660, 6, 8);
    viewing.seeking(sight(662, 3000));
    viewing.sought(sight(663, 3000));
    viewing.playing(sight(663, 3000));
    plays(663, 3000, 3002);
    viewing.leave(sight(665, 3002));
    expect(watched()).toBe(10_000);
  });
  it("counts the film at double speed, and no step that is larger than the time", () => {
    plays(2, 0, 10, 2);
    viewing.moved(sight(7.5, 500, { rate: 2 }));
    viewing.beat(sight(8, 500));
    expect(watched()).toBe(10_000);
  });
  it("is told of at a pause, so that a forgotten tab does not lose it", () => {
    plays(2, 0, 3);
    viewing.pause(sight(5, 3));
    expect(kinds().slice(2)).toEqual(["heartbeat", "pause"]);
    viewing.beat(sight(15, 3));
    expect(last()?.kind).toBe("pause");
  });
  it("never goes backwards when a film loops", () => {
    plays(2, 0, 4);
    viewing.moved(sight(6.1, 0));
    viewing.beat(sight(7, 0));
    expect(watched()).toBe(4000);
  });
});

describe("the rest", () => {
  it("is what is shown, from the first picture on, once", () => {
    viewing.shown(sight(0.5), 360, 800);
    expect(told).toEqual([]);
    begins();
    viewing.shown(sight(5), 360, 800);
    viewing.shown(sight(6), 1080, null);
    expect(told.slice(2).map(({ kind, height, kbps }) => [kind, height, kbps])).toEqual([
      ["rendition", 360, 800],
      ["rendition", 1080, undefined],
    ]);
  });
  it("is frames by their difference, also after a new element began to count", () => {
    begins();
    for (const total of [0, 5, 5, 9, 2]) viewing.dropped(sight(5), total);
    expect(told.slice(2).map(({ count }) => count)).toEqual([5, 4, 2]);
  });
  it("is a mended fault once in a while, and never without an end", () => {
    begins();
    for (let at = 2; at < 22; at += 1) viewing.failed(sight(at), "missing", false);
    expect(told.slice(2)).toHaveLength(2);
    for (let at = 100; at < 10_000; at += 10) viewing.failed(sight(at), "missing", false);
    expect(told.slice(2)).toHaveLength(50);
  });
  it("is one exit for one leaving, and another when the viewer came back and leaves again", () => {
    begins();
    viewing.leave(sight(5, 3));
    viewing.leave(sight(5, 3));
    viewing.moved(sight(50, 3));
    plays(50, 3, 5);
    viewing.beat(sight(52, 5));
    viewing.leave(sight(60, 5));
    expect(kinds().filter((kind) => kind === "exit")).toHaveLength(2);
  });
  it("is a heartbeat while the first picture is waited for: the viewer is still there", () => {
    viewing.play(sight(1));
    viewing.beat(sight(10));
    viewing.beat(sight(20));
    expect(kinds()).toEqual(["attempt", "heartbeat", "heartbeat"]);
  });
});
