import { describe, expect, it } from "vitest";
import type { TitleOut } from "../api/schema";
import {
  cancelWords,
  changes,
  contested,
  fieldsOf,
  filterQuery,
  FIRST_POLL_MS,
  hasMoved,
  isInWork,
  merged,
  newerVersionWords,
  nextPollMs,
  readFilter,
  withFresh,
} from "./studio";

const title = (id: string, state: string, percent = 0, active: number | null = null, version = 2) =>
  ({
    movie_id: id,
    state: "playable",
    revision: 1,
    active_version: active,
    newest_version: { version, state, stage: "renditions", percent, reason: null },
  }) as unknown as TitleOut;

describe("the filter in the address", () => {
  it("is read as it was written", () => {
    for (const filter of [
      { text: "", state: "", withNotes: false, inWork: false },
      { text: "שלום & 🎬 +x", state: "refused", withNotes: true, inWork: true },
    ] as const) {
      expect(readFilter(filterQuery(filter))).toEqual(filter);
    }
  });
  it("leaves out what is no value", () => {
    expect(readFilter("state=nonsense&notes=2&work=yes&other=1")).toEqual({
      text: "",
      state: "",
      withNotes: false,
      inWork: false,
    });
    expect(readFilter(`q=${"x".repeat(300)}`).text).toHaveLength(200);
  });
});

describe("an edit", () => {
  const before = { title: "A", year: "1999", genres: "Drama, Comedy", description: "" };
  it("sends only what changed", () => {
    expect(changes(before, { ...before, title: " A ", genres: "Drama,Comedy," })).toEqual({});
    expect(changes(before, { title: "B", year: "", genres: "", description: "Words" })).toEqual({
      title: "B",
      year: null,
      genres: [],
      description: "Words",
    });
  });
  it("that met another edit keeps what each alone changed and names what both did", () => {
    const mine = { ...before, title: "Mine", year: "2001", description: "same" };
    const theirs = { ...before, title: "Theirs", genres: "War", description: "same" };
    expect(contested(before, mine, theirs)).toEqual(["title"]);
    expect(merged(before, mine, theirs)).toEqual({ title: "Mine", year: "2001", genres: "War", description: "same" });
    expect(changes(theirs, merged(before, mine, theirs))).toEqual({ title: "Mine", year: 2001 });
  });
  it("shows what a title without year and description has", () => {
    expect(fieldsOf({ title: "A", year: null, genres: [], description: null })).toEqual({
      title: "A",
      year: "",
      genres: "",
      description: "",
    });
  });
});

describe("work", () => {
  it("is a version that is uploaded or ingested", () => {
    expect(["uploading", "ingesting", "playable", "cancelled", "failed"].map((one) => isInWork(title("m", one)))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(isInWork({ newest_version: null })).toBe(false);
  });
  it("says what cancelling does", () => {
    expect(cancelWords(title("m", "ingesting", 5, 1))).toContain("Version 1 stays as it is.");
    expect(cancelWords(title("m", "ingesting"))).toContain("cannot be played until");
    expect(cancelWords(title("m", "uploading"))).toContain("The upload of version 2 ends");
  });
  it("says how a newer version ended while an older one plays", () => {
    expect(newerVersionWords(title("m", "refused", 0, 1))).toBe("Version 2 was refused.");
    expect(newerVersionWords(title("m", "ingesting", 0, 1))).toBeNull();
    expect(newerVersionWords(title("m", "refused"))).toBeNull();
  });
});

describe("polling", () => {
  it("slows down to a bound while nothing moves, and is quick again once something does", () => {
    let pause = FIRST_POLL_MS;
    for (let n = 0; n < 20; n += 1) pause = nextPollMs(pause, false);
    expect(pause).toBe(15_000);
    expect(nextPollMs(pause, true)).toBe(FIRST_POLL_MS);
  });
  it("puts fresh answers in their places and moves nothing", () => {
    const shown = [title("m_1", "ingesting", 1), title("m_2", "ingesting", 1)];
    const fresh = [title("m_2", "ingesting", 9), title("m_3", "ingesting", 1)];
    expect(withFresh(shown, fresh).map((one) => [one.movie_id, one.newest_version?.percent])).toEqual([
      ["m_1", 1],
      ["m_2", 9],
    ]);
    expect(hasMoved(shown, fresh)).toBe(true);
    expect(hasMoved(shown, [title("m_1", "ingesting", 1)])).toBe(false);
    expect(hasMoved(shown, [title("m_3", "ingesting", 4)])).toBe(false);
  });
});
