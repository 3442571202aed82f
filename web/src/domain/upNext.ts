/** Which title follows at the end of a film: the next one of the row that the viewer came from. Pure. */

import { GENRE_ROWS } from "./rules";

/** Where in a row a film was opened. It travels in the history entry's state, not in the device's storage. */
export interface Place {
  row: string;
  index: number;
}

export interface Next<Card> {
  card: Card;
  place: Place;
}

interface Identified {
  movie_id: string;
}

/**
 * The title behind `movieId`, which stood at `index` when it was opened. A finished film leaves continue watching, and a film
 * that plays moves to its front: so the film is left out, and its place counts in what remains. The last one is followed by
 * the first. Null for a row without another title.
 */
export function nextInRow<Card extends Identified>(
  row: string,
  items: readonly Card[],
  movieId: string,
  index: number | null,
): Next<Card> | null {
  const here = items.findIndex((card) => card.movie_id === movieId);
  const others = items.filter((card) => card.movie_id !== movieId);
  const at = Math.max(0, index ?? here);
  const card = others[at] ?? others[0];
  if (card === undefined) return null;
  // The place of the next film in the row as it will be shown then.
  const after = row === "continue-watching" ? others.indexOf(card) : items.indexOf(card);
  return { card, place: { row, index: after } };
}

/** The rows of those genres that have one, in their order: `genre-sci-fi` for `Sci-Fi`. */
export function genreRows(genres: readonly string[]): string[] {
  return genres.flatMap((genre) => (Object.hasOwn(GENRE_ROWS, genre) ? [GENRE_ROWS[genre]!] : []));
}

const SIMILAR = "similar-";

/** “More like this” of a title, as a row: a film that was opened from it is followed by its next one. */
export const similarRow = (movieId: string): string => SIMILAR + movieId;

/** The title whose “More like this” a row is; null for any other row. */
export const similarTo = (row: string): string | null => (row.startsWith(SIMILAR) ? row.slice(SIMILAR.length) : null);

/** A place read from a history entry's state, which may be anything. */
export function placeOf(state: unknown): Place | null {
  if (typeof state !== "object" || state === null) return null;
  const { row, index } = state as Record<string, unknown>;
  if (typeof row !== "string" || !/^[\p{L}\p{N}][\p{L}\p{N}_-]{0,79}$/u.test(row)) return null;
  return { row, index: typeof index === "number" && Number.isInteger(index) && index >= 0 ? index : 0 };
}
