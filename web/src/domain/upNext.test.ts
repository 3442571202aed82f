import { describe, expect, it } from "vitest";
import { genreRows, nextInRow, placeOf, similarRow, similarTo } from "./upNext";

const cards = (...ids: string[]) => ids.map((movie_id) => ({ movie_id }));
const next = (row: string, ids: string[], movieId: string, index: number | null) => {
  const found = nextInRow(row, cards(...ids), movieId, index);
  return found === null ? null : [found.card.movie_id, found.place.index];
};

describe("what follows a film", () => {
  it("is the next one of its row, and the first one after the last", () => {
    expect(next("new-releases", ["a", "b", "c"], "b", 1)).toEqual(["c", 2]);
    expect(next("new-releases", ["a", "b", "c"], "c", 2)).toEqual(["a", 0]);
    expect(next("new-releases", ["a", "b", "c"], "b", null)).toEqual(["c", 2]);
    expect(next("new-releases", ["a", "b", "c"], "of elsewhere", null)).toEqual(["a", 0]);
    expect(next("new-releases", ["a"], "a", 0)).toBeNull();
    expect(next("new-releases", [], "a", 3)).toBeNull();
  });
  it("knows that a finished film leaves continue watching", () => {
    expect(next("continue-watching", ["a", "c"], "b", 1)).toEqual(["c", 1]);
    expect(next("continue-watching", ["b", "a", "c"], "b", 1)).toEqual(["c", 1]);
    expect(next("continue-watching", ["b", "c"], "a", 0)).toEqual(["b", 0]);
    expect(next("continue-watching", ["a", "b"], "c", 2)).toEqual(["a", 0]);
    expect(next("continue-watching", [], "a", 0)).toBeNull();
  });
  it("goes through a whole row, film after film", () => {
    const seen: string[] = [];
    let at = { id: "a", index: 0 };
    for (let turn = 0; turn < 4; turn += 1) {
      const found = nextInRow("genre-drama", cards("a", "b", "c", "d"), at.id, at.index)!;
      seen.push(found.card.movie_id);
      at = { id: found.card.movie_id, index: found.place.index };
    }
    expect(seen).toEqual(["b", "c", "d", "a"]);
  });
  it("knows which genres have a row", () =>
    expect(genreRows(["Sci-Fi", "Unheard of", "constructor", "Drama"])).toEqual(["genre-sci-fi", "genre-drama"]));
  it("knows of which title a row is more", () => {
    expect(similarTo(similarRow("m_0abc"))).toBe("m_0abc");
    expect(similarTo("because-m_0abc")).toBeNull();
  });
  it("reads only what is a place, in any script", () => {
    expect(placeOf({ row: "genre-комедия", index: 2 })).toEqual({ row: "genre-комедия", index: 2 });
    expect(placeOf({ row: "genre-drama", index: 3, entry: "x" })).toEqual({ row: "genre-drama", index: 3 });
    expect(placeOf({ row: "because-m_0abc", index: 1 })).toEqual({ row: "because-m_0abc", index: 1 });
    expect(placeOf({ row: "genre-drama", index: -1 })).toEqual({ row: "genre-drama", index: 0 });
    for (const state of [null, 7, "x", {}, { row: "../admin" }, { row: 1 }]) expect(placeOf(state)).toBeNull();
  });
});
