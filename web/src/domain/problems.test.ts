import { describe, expect, it } from "vitest";
import apiPage from "../../../docs/api.md?raw";
import { OWN_PROBLEMS, PROBLEMS, retryAfterSeconds, spokenWait, wordsFor } from "./problems";

/** tests/test_documents.py holds that docs/api.md lists every code that any server of the platform answers with. */
const LISTED = [...apiPage.matchAll(/^\| (\d{3}) \| `([a-z0-9-]+)` \| [^|]* \| ([^|]*) \|$/gm)].map(
  ([, status, code, title]) => ({ status: Number(status), code: code!, title: title! }),
);

describe("the sentences for problems", () => {
  it("has one for every code of the API, and none for a code that is not there", () => {
    expect(LISTED.length).toBeGreaterThan(40);
    expect(Object.keys(PROBLEMS).sort()).toEqual([...new Set(LISTED.map(({ code }) => code))].sort());
  });
  it.each([...Object.entries(PROBLEMS), ...Object.entries(OWN_PROBLEMS)])("says what is wrong in plain words: %s", (_code, one) => {
    expect(one.words).toMatch(/^[A-Z][^`{}<>]{15,}\.$/);
    expect(one.words).not.toMatch(/HTTP|JSON|regex|status|header|\bAPI\b|token|null|undefined/i);
  });
  it("names a button that fits: a sentence that says to try again has one, and no other", () => {
    for (const { words, help } of [...Object.values(PROBLEMS), ...Object.values(OWN_PROBLEMS)]) {
      if (/try again\.?$/i.test(words)) expect(help, words).toBe("again");
      if (/load (the page|it) again/i.test(words)) expect(help, words).toBe("reload");
    }
  });
  it("offers no second try where the answer would be the same", () => {
    const lasting = LISTED.filter(({ status }) => [403, 404, 409, 410, 422].includes(status));
    const again = lasting.filter(({ status, code }) => wordsFor(status, code).help === "again").map(({ code }) => code);
    // An edge's refusal ends with a fresh address; parts that did not arrive are sent again.
    expect(again.sort()).toEqual(["file-unavailable", "parts-mismatch", "signature-invalid", "url-expired"]);
  });
  it("never shows a validator's text", () => {
    const validator = "Expected `str` matching regex '^m_[0-9a-z]{20}$'";
    for (const field of ["movie_id", "title", "genres[2]", "q", "If-Match", "zone.unknown", "", null]) {
      const { words } = wordsFor(400, "input-invalid", field, validator);
      expect(words).not.toContain("regex");
      expect(words.length).toBeGreaterThan(15);
    }
  });
  it("shows the platform's sentence where it is written for people", () => {
    expect(wordsFor(409, "title-not-playable", "movie_id", "This title is no longer offered.")).toMatchObject({
      words: "This title is no longer offered.",
      help: "home",
    });
  });
  it("judges a code of a newer platform by its status", () => {
    for (const { status } of LISTED) expect(wordsFor(status, "of-tomorrow").words).toMatch(/\.$/);
    expect(wordsFor(418, "of-tomorrow").help).toBe("reload");
    expect(wordsFor(599, "of-tomorrow").help).toBe("again");
  });
  it("says how long to wait", () => {
    expect(wordsFor(429, "too-many-requests", null, null, 12).words).toContain("in 12 seconds");
    expect([1, 0.2, 90, 91, 3600].map(spokenWait)).toEqual(["1 second", "1 second", "90 seconds", "2 minutes", "60 minutes"]);
  });
});

describe("Retry-After", () => {
  it("is seconds or a date, never longer than an hour", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    const cases: [string | null, number | null][] = [
      ["7", 7],
      [" 0 ", 0],
      ["Thu, 01 Jan 2026 00:00:30 GMT", 30],
      ["Wed, 31 Dec 2025 00:00:30 GMT", 0],
      ["999999", 3600],
      ["soon", null],
      ["-5", null],
      ["", null],
      [null, null],
    ];
    for (const [header, seconds] of cases) expect(retryAfterSeconds(header, now), String(header)).toBe(seconds);
  });
});
