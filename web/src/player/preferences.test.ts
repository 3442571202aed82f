import { afterEach, describe, expect, it, vi } from "vitest";
import { DEFAULTS, keepPreferences, parsePreferences, readPreferences } from "./preferences";

describe("what a device remembers", () => {
  it.each([
    ["nothing", null],
    ["no JSON", "{volume"],
    ["null", "null"],
    ["a list", "[1, 2]"],
    ["a number", "7"],
    ["a text", '"loud"'],
    ["values of other kinds", '{"volume": "loud", "muted": 1, "rate": "fast", "quality": "720p", "subtitles": 4, "sound": []}'],
    ["values out of range", '{"volume": 1.2, "rate": 16, "quality": -1, "captionSize": "giant", "captionLook": "__proto__"}'],
    ["values that are no numbers", '{"volume": null, "rate": null, "quality": 720.5}'],
    ["names of objects", '{"toString": 1, "constructor": {}, "__proto__": {"volume": 0.1}}'],
  ])("is the default where it is %s", (_what, text) => expect(parsePreferences(text)).toEqual(DEFAULTS));

  it("keeps what an older client stored", () => {
    const older = '{"volume": 0.4, "muted": true, "subtitles": "de", "audio": null}';
    expect(parsePreferences(older)).toEqual({ ...DEFAULTS, volume: 0.4, muted: true, subtitles: "de" });
  });
  it("loses one wrong value and not the others", () => {
    expect(parsePreferences('{"volume": -3, "quality": 480, "captionLook": "yellow"}')).toEqual({
      ...DEFAULTS,
      quality: 480,
      captionLook: "yellow",
    });
  });
});

describe("a browser that refuses storage", () => {
  afterEach(() => vi.unstubAllGlobals());
  const stub = (storage: object) => vi.stubGlobal("localStorage", storage);
  const refuse = () => {
    throw new DOMException("The operation is insecure.", "SecurityError");
  };

  it("remembers until the tab is closed", () => {
    stub({ getItem: refuse, setItem: refuse });
    keepPreferences({ rate: 1.5 });
    keepPreferences({ quality: 360 });
    expect(readPreferences()).toEqual({ ...DEFAULTS, rate: 1.5, quality: 360 });
  });
  it("stores everything as soon as there is room", () => {
    const stored = new Map<string, string>();
    stub({ getItem: (name: string) => stored.get(name) ?? null, setItem: refuse });
    keepPreferences({ rate: 0.5 });
    stub({
      getItem: (name: string) => stored.get(name) ?? null,
      setItem: (name: string, text: string) => stored.set(name, text),
    });
    keepPreferences({ volume: 0.3 });
    expect(JSON.parse(stored.get("marquee.player")!)).toMatchObject({ rate: 0.5, volume: 0.3 });
  });
  it("has no storage at all", () => {
    vi.stubGlobal("localStorage", undefined);
    expect(() => readPreferences()).not.toThrow();
  });
});
