import { describe, expect, it } from "vitest";
import { actionFor, KEY_HELP } from "./keys";

interface Held {
  ctrlKey?: boolean;
  metaKey?: boolean;
  altKey?: boolean;
  shiftKey?: boolean;
  code?: string;
  repeat?: boolean;
  isComposing?: boolean;
  getModifierState?: (name: string) => boolean;
}

const press = (key: string, held: Held = {}, onControl = false) =>
  actionFor({ key, ctrlKey: false, metaKey: false, altKey: false, ...held }, onControl);

describe("the player's keys", () => {
  it("plays and pauses by Space and K, but leaves Space to a focused button", () => {
    expect(press(" ")).toEqual({ do: "toggle" });
    expect(press(" ", {}, true)).toBeNull();
    expect(press("K", {}, true)).toEqual({ do: "toggle" });
  });
  it("skips by arrows and J, L and jumps by digits", () => {
    expect(press("ArrowLeft")).toEqual({ do: "skip", seconds: -5 });
    expect(press("l")).toEqual({ do: "skip", seconds: 10 });
    expect(press("7")).toEqual({ do: "jump", share: 0.7 });
  });
  it("opens the small window and the statistics, and changes the size of subtitles", () => {
    expect(press("p")).toEqual({ do: "small-window" });
    expect(press("I")).toEqual({ do: "stats" });
    expect(["+", "=", "-"].map((key) => press(key))).toEqual([
      { do: "caption-size", by: 1 },
      { do: "caption-size", by: 1 },
      { do: "caption-size", by: -1 },
    ]);
  });
  it("leaves the browser's own shortcuts alone", () => {
    for (const key of ["f", "p", "i", "c", "l", "k", "j", "m", "+", "-", "0", "з"]) {
      expect(press(key, { ctrlKey: true, code: "KeyP" }), `Ctrl ${key}`).toBeNull();
      expect(press(key, { metaKey: true, code: "KeyP" }), `Cmd ${key}`).toBeNull();
    }
    expect(press("ArrowLeft", { altKey: true })).toBeNull();
    expect(press("Tab")).toBeNull();
  });
  it("leaves what is composed or typed with AltGr alone", () => {
    expect(press("k", { isComposing: true })).toBeNull();
    expect(press("Process", { code: "KeyK" })).toBeNull();
    expect(press("ł", { code: "KeyL", getModifierState: (name) => name === "AltGraph" })).toBeNull();
  });
  it.each([
    ["Russian", "з", "KeyP", "small-window"],
    ["Greek", "π", "KeyP", "small-window"],
    ["Hebrew", "פ", "KeyP", "small-window"],
    ["Arabic", "ح", "KeyP", "small-window"],
    ["Ukrainian", "а", "KeyF", "fullscreen"],
    ["Thai", "ย", "KeyP", "small-window"],
  ])("goes by the key's place on a %s keyboard", (_layout, key, code, action) => {
    expect(press(key, { code })?.do).toBe(action);
  });
  it("goes by the letter where there are Latin letters", () => {
    expect(press("p", { code: "KeyR" })?.do).toBe("small-window"); // Dvorak
    expect(press("q", { code: "KeyA" })).toBeNull(); // French
    expect(press("ç", { code: "KeyP" })).toBeNull();
  });
  it("jumps by the row of digits of a French keyboard, which writes signs first", () => {
    expect(press("é", { code: "Digit2" })).toEqual({ do: "jump", share: 0.2 });
    expect(press("2", { code: "Digit2", shiftKey: true })).toEqual({ do: "jump", share: 0.2 });
    expect(press("@", { code: "Digit2", shiftKey: true })).toBeNull();
  });
  it("does once what a held key would undo, and again and again what goes on", () => {
    for (const key of [" ", "k", "m", "f", "p", "c", "i", "?", "5"]) expect(press(key, { repeat: true }), key).toBeNull();
    for (const key of ["ArrowRight", "ArrowUp", "j", "+"]) expect(press(key, { repeat: true }), key).not.toBeNull();
  });
  it("are all in the list of keys", () => {
    const named: Record<string, string> = { Space: " ", "←": "ArrowLeft", "→": "ArrowRight", "↑": "ArrowUp", "↓": "ArrowDown", "−": "-", Esc: "Escape" };
    const listed = KEY_HELP.flatMap(([keys]) => keys.filter((key) => key !== "–").map((key) => named[key] ?? key));
    for (const key of listed) expect(press(key), key).not.toBeNull();
    const known = new Set(listed.map((key) => press(key)!.do));
    const every = [..."abcdefghijklmnopqrstuvwxyz0123456789<>?+- ", "ArrowLeft", "ArrowUp", "Home", "End", "Escape"];
    for (const key of every) {
      const action = press(key);
      if (action !== null) expect(known, `${key} is not listed`).toContain(action.do);
    }
  });
});
