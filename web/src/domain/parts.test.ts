import { describe, expect, it } from "vitest";
import { cutIntoParts, cutText, guessTitle, isHeld, sentName } from "./parts";

describe("upload parts", () => {
  it("covers the file once, without gaps", () => {
    const parts = cutIntoParts(25, 10);
    expect(parts).toEqual([
      { number: 1, start: 0, end: 10 },
      { number: 2, start: 10, end: 20 },
      { number: 3, start: 20, end: 25 },
    ]);
    expect(cutIntoParts(20, 10)).toHaveLength(2);
    expect(cutIntoParts(0, 10)).toEqual([]);
  });
  it("knows a held part by its bytes, also where its number is held twice", () => {
    const [first, second, last] = cutIntoParts(25, 10);
    const held = [
      { number: 1, size_bytes: 10, checksum: "one" },
      { number: 1, size_bytes: 10, checksum: "another" },
      { number: 3, size_bytes: 4, checksum: "three" },
    ];
    expect(isHeld(first!, "one", held)).toBe(true);
    expect(isHeld(first!, "another", held)).toBe(true);
    expect(isHeld(first!, "changed", held)).toBe(false);
    expect(isHeld(second!, "one", held)).toBe(false);
    expect(isHeld(last!, "three", held)).toBe(false);
  });
});

describe("a title guessed from a file's name", () => {
  it.each([
    ["The_Long.Film (2019) 1080p.mkv", "The Long Film", 2019],
    ["big buck bunny.mp4", "Big Buck Bunny", null],
    ["2001.mp4", "2001", 2001],
    ["sintel_720p_16s.mp4", "Sintel", null],
    ["Metropolis.1927.mov", "Metropolis", 1927],
    ["\u{1f468}\u200d\u{1f469}\u200d\u{1f467} party.mp4", "\u{1f468}\u200d\u{1f469}\u200d\u{1f467} Party", null],
    ["two\nlines\tand\x1b.mp4", "Two Lines And", null],
    ["half \ud83d.mp4", "Half \ufffd", null],
    ["....mp4", "....mp4", null],
  ])("%s", (name, title, year) => {
    expect(guessTitle(name)).toEqual({ title, year });
  });
});

describe("a name that is sent", () => {
  it("is one line of well-formed text", () => {
    expect(sentName("a\nb\\c\ud83d.mp4")).toBe("a\ufffdb\ufffdc\ufffd.mp4");
    expect(sentName("50% #1 ?&; 'x' \"y\".mp4")).toBe("50% #1 ?&; 'x' \"y\".mp4");
    expect([...sentName("\u{1f3ac}".repeat(300))]).toHaveLength(255);
  });
  it("is cut between what a reader sees", () => {
    const family = "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}";
    expect(cutText(family.repeat(40), 200)).toBe(family.repeat(28));
    expect(guessTitle(`${"x".repeat(198)}e\u0301e\u0301.mp4`).title).toBe(`X${"x".repeat(197)}e\u0301`);
  });
});
