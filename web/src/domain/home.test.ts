import { describe, expect, it } from "vitest";
import type { Home, Row } from "../api/schema";
import { missingRows, withItemBack, withMoreItems, withNextRows, withoutItem, withRefreshedStart } from "./home";

const row = (id: string, items: string[], next_cursor: string | null = null): Row => ({
  id,
  title: id,
  items: items.map((movie_id) => ({ movie_id, title: movie_id })),
  next_cursor,
});
const ids = (page: Home, at: number) => page.rows[at]?.items.map((card) => card.movie_id);

describe("the home page", () => {
  it("never shows a row or a title of a row twice when pages overlap", () => {
    const page = { rows: [row("new", ["a", "b"], "c1")], next_cursor: "n1" };
    const grown = withNextRows(page, { rows: [row("new", ["a"]), row("drama", ["x"])], next_cursor: null });
    expect(grown.rows.map((each) => each.id)).toEqual(["new", "drama"]);
    const longer = withMoreItems(grown, "new", [{ movie_id: "b", title: "b" }, { movie_id: "c", title: "c" }], "c2");
    expect(ids(longer, 0)).toEqual(["a", "b", "c"]);
    expect(longer.rows[0]?.next_cursor).toBe("c2");
  });

  it("takes in continue watching after a film was begun, and keeps what was loaded below", () => {
    const held = { rows: [row("new", ["a"]), row("drama", ["x", "y", "z"], "d2"), row("war", ["w"])], next_cursor: "n2" };
    const fresh = { rows: [row("continue-watching", ["a"]), row("new", ["b", "a"]), row("drama", ["x"], "d1")], next_cursor: "n1" };
    const page = withRefreshedStart(held, fresh);
    expect(page.rows.map((each) => each.id)).toEqual(["continue-watching", "new", "drama", "war"]);
    expect(page.next_cursor).toBe("n2");
    expect(ids(page, 2)).toEqual(["x", "y", "z"]);
    expect(page.rows[2]?.next_cursor).toBe("d2");
  });

  it("takes a title out of continue watching only, and puts it back where it was", () => {
    const page = { rows: [row("continue-watching", ["a", "b", "c"]), row("new", ["b"])], next_cursor: null };
    const less = withoutItem(page, "continue-watching", "b");
    expect([ids(less, 0), ids(less, 1)]).toEqual([["a", "c"], ["b"]]);
    const again = withItemBack(less, page.rows[0]!, 0, "b");
    expect(ids(again, 0)).toEqual(["a", "b", "c"]);
    expect(withItemBack(again, page.rows[0]!, 0, "b")).toEqual(again);
    const single = { rows: [row("continue-watching", ["a"]), row("new", ["b"])], next_cursor: null };
    const empty = withoutItem(single, "continue-watching", "a");
    expect(empty.rows.map((each) => each.id)).toEqual(["new"]);
    expect(withItemBack(empty, single.rows[0]!, 0, "a")).toEqual(single);
  });

  it("does not keep in continue watching what has left it", () => {
    const held = { rows: [row("continue-watching", ["a", "b", "c"])], next_cursor: null };
    const page = withRefreshedStart(held, { rows: [row("continue-watching", ["c", "a"])], next_cursor: null });
    expect(ids(page, 0)).toEqual(["c", "a"]);
  });

  it("drops a row that left the first page", () => {
    const held = { rows: [row("continue-watching", ["a"]), row("new", ["a"]), row("war", ["w"])], next_cursor: null };
    const page = withRefreshedStart(held, { rows: [row("new", ["a"])], next_cursor: "n1" });
    expect(page.rows.map((each) => each.id)).toEqual(["new", "war"]);
    expect(page.next_cursor).toBeNull();
  });

  it("keeps a row that could not be read now, where it was, and does not call it missing", () => {
    const held = { rows: [row("continue-watching", ["a"]), row("new", ["a"]), row("war", ["w"])], next_cursor: null };
    const degraded = [
      { id: "new", title: "New releases", reason: "store-unavailable" as const },
      { id: "drama", title: "Drama", reason: "store-unavailable" as const },
    ];
    const page = withRefreshedStart(held, { rows: [row("continue-watching", ["a"]), row("war", ["w"])], next_cursor: null, degraded });
    expect(page.rows.map((each) => each.id)).toEqual(["continue-watching", "new", "war"]);
    expect(page.degraded?.map((each) => each.id)).toEqual(["drama"]);
    expect(missingRows(page)).toBe("“Drama” cannot be shown at the moment.");
  });

  it("says nothing of missing rows on a whole page, and counts them on a degraded one", () => {
    expect(missingRows({ rows: [], next_cursor: null })).toBeNull();
    const degraded = ["Drama", "War", "Crime"].map((title) => ({ id: title, title, reason: "internal-error" as const }));
    expect(missingRows({ rows: [], next_cursor: null, degraded })).toBe("“Drama” and 2 more rows cannot be shown at the moment.");
  });
});
