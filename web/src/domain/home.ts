/** How the home page grows and refreshes: no row moves unexpectedly, no title appears twice. Pure. */

import type { Home, MissingRow, Row, RowItem } from "../api/schema";

export const CONTINUE_WATCHING = "continue-watching";

function unseen(held: readonly RowItem[], fresh: readonly RowItem[]): RowItem[] {
  const ids = new Set(held.map((card) => card.movie_id));
  return fresh.filter((card) => !ids.has(card.movie_id));
}

/** Add the next page of rows below the present rows. */
export function withNextRows(page: Home, next: Home): Home {
  const ids = new Set(page.rows.map((row) => row.id));
  const rows = [...page.rows, ...next.rows.filter((row) => !ids.has(row.id))];
  return { rows, next_cursor: next.next_cursor, degraded: missing([...(page.degraded ?? []), ...(next.degraded ?? [])], rows) };
}

/** Add items to the end of one row. */
export function withMoreItems(page: Home, rowId: string, items: readonly RowItem[], cursor: string | null): Home {
  const extend = (row: Row): Row =>
    row.id === rowId ? { ...row, items: [...row.items, ...unseen(row.items, items)], next_cursor: cursor } : row;
  return { ...page, rows: page.rows.map(extend) };
}

/** Take a title out of one row. A row without titles leaves the page. */
export function withoutItem(page: Home, rowId: string, movieId: string): Home {
  const rows = page.rows.flatMap((row) => {
    if (row.id !== rowId) return [row];
    const items = row.items.filter((card) => card.movie_id !== movieId);
    return items.length > 0 || row.next_cursor !== null ? [{ ...row, items }] : [];
  });
  return { ...page, rows };
}

/** Put a title back where it was in the row `before`, which may have left the page. */
export function withItemBack(page: Home, before: Row, rowIndex: number, movieId: string): Home {
  const place = before.items.findIndex((card) => card.movie_id === movieId);
  const card = before.items[place];
  if (card === undefined) return page;
  if (!page.rows.some((row) => row.id === before.id)) {
    const rows = [...page.rows];
    rows.splice(rowIndex, 0, { ...before, items: [card] });
    return { ...page, rows };
  }
  const rows = page.rows.map((row) => {
    if (row.id !== before.id || row.items.some((each) => each.movie_id === movieId)) return row;
    const items = [...row.items];
    items.splice(place, 0, card);
    return { ...row, items };
  });
  return { ...page, rows };
}

/**
 * Refresh the first page of rows. Its rows replace the old ones, in the new order (continue watching comes and goes). Rows
 * of later pages stay. A row that had loaded more items keeps them, but for continue watching: what left it is gone. A row that could not be read now (`degraded`) stays as it was.
 */
export function withRefreshedStart(held: Home, fresh: Home): Home {
  const before = new Map(held.rows.map((row) => [row.id, row]));
  const start = fresh.rows.map((row): Row => {
    const old = before.get(row.id);
    if (old === undefined || row.id === CONTINUE_WATCHING || old.items.length <= row.items.length) return row;
    return { ...row, items: [...row.items, ...unseen(row.items, old.items)], next_cursor: old.next_cursor };
  });
  for (const { id } of fresh.degraded ?? []) {
    const old = before.get(id);
    if (old !== undefined) start.splice(held.rows.indexOf(old), 0, old);
  }
  const ids = new Set(start.map((row) => row.id));
  const last = held.rows.findLastIndex((row) => ids.has(row.id));
  const below = last < 0 ? [] : held.rows.slice(last + 1);
  const rows = [...start, ...below];
  return {
    rows,
    next_cursor: below.length > 0 ? held.next_cursor : fresh.next_cursor,
    degraded: missing(fresh.degraded ?? [], rows),
  };
}

function missing(named: readonly MissingRow[], shown: readonly Row[]): MissingRow[] {
  const ids = new Set(shown.map((row) => row.id));
  return named.filter((row) => !ids.has(row.id));
}

/** What the viewer is told about rows that could not be read; null if none is missing. */
export function missingRows(page: Home): string | null {
  const [first, ...others] = page.degraded ?? [];
  if (first === undefined) return null;
  if (others.length === 0) return `“${first.title}” cannot be shown at the moment.`;
  return `“${first.title}” and ${others.length} more ${others.length === 1 ? "row" : "rows"} cannot be shown at the moment.`;
}
