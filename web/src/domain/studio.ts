/** The engineers' page of titles: its filter in the address, words of states, edits that met another edit, polling. Pure. */

import type { TitleEdit, TitleOut } from "../api/schema";
import { STAGES, type TitleState } from "./rules";

export interface Filter {
  text: string;
  state: TitleState | "";
  withNotes: boolean;
  inWork: boolean;
}

export const STATE_WORDS: Record<TitleState, string> = {
  announced: "Announced",
  ingesting: "Being prepared",
  playable: "Playable",
  refused: "Refused",
  failed: "Failed",
  cancelled: "Cancelled",
  unpublished: "Unpublished",
  deleted: "Deleted",
};
/** States that an engineer filters by. Deleted titles are listed only where an address asks for them. */
export const LISTED_STATES = (Object.keys(STATE_WORDS) as TitleState[]).filter((state) => state !== "deleted");
export const STATE_TONES: Record<TitleState, "good" | "busy" | "bad" | "plain"> = {
  announced: "plain",
  ingesting: "busy",
  playable: "good",
  refused: "bad",
  failed: "bad",
  cancelled: "plain",
  unpublished: "plain",
  deleted: "plain",
};

/** What the address says. A value that is none is left out. */
export function readFilter(query: string): Filter {
  const given = new URLSearchParams(query);
  const state = given.get("state") ?? "";
  return {
    text: (given.get("q") ?? "").slice(0, 200),
    state: state in STATE_WORDS ? (state as TitleState) : "",
    withNotes: given.get("notes") === "1",
    inWork: given.get("work") === "1",
  };
}

export function filterQuery({ text, state, withNotes, inWork }: Filter): string {
  const said = new URLSearchParams();
  if (text.trim() !== "") said.set("q", text);
  if (state !== "") said.set("state", state);
  if (withNotes) said.set("notes", "1");
  if (inWork) said.set("work", "1");
  return said.toString();
}

export const isFiltered = (filter: Filter): boolean => filterQuery(filter) !== "";

/** Its newest version is on its way: its progress changes by itself, and it can be cancelled. */
export const isInWork = ({ newest_version: newest }: Pick<TitleOut, "newest_version">): boolean =>
  newest !== null && (newest.state === "uploading" || newest.state === "ingesting");

/** What happens now with the version in work. `names` are the stages' short names. */
export function workWords(stage: string, state: string, names: Readonly<Record<string, string>>): string {
  if (STAGES.some((one) => one === stage)) return names[stage] ?? stage;
  return state === "uploading" ? "Uploading" : "Waiting to start";
}

/** What became of a newer version while an older one plays. Null if there is nothing to say. */
export function newerVersionWords(title: Pick<TitleOut, "active_version" | "newest_version">): string | null {
  const { active_version: active, newest_version: newest } = title;
  if (newest === null || active === null || newest.version <= active) return null;
  const end = { refused: "was refused", failed: "failed", cancelled: "was cancelled" }[newest.state as "refused"];
  return end === undefined ? null : `Version ${newest.version} ${end}.`;
}

/** What cancelling does, for the question before it. */
export function cancelWords(title: Pick<TitleOut, "active_version" | "newest_version" | "state">): string {
  const version = title.newest_version?.version ?? 1;
  const ends =
    title.newest_version?.state === "uploading"
      ? `The upload of version ${version} ends, and what has arrived of it is removed.`
      : `Preparing version ${version} ends within seconds. What it made and its uploaded file are removed.`;
  if (title.active_version !== null) return `${ends} Version ${title.active_version} stays as it is.`;
  return `${ends} The title cannot be played until a new film is uploaded.`;
}

// --- editing ----------------------------------------------------------------------------------------------------
export interface Fields {
  title: string;
  year: string;
  genres: string;
  description: string;
}
export const FIELD_NAMES: Record<keyof Fields, string> = {
  title: "Title",
  year: "Year",
  genres: "Genres",
  description: "Description",
};
const NAMES = Object.keys(FIELD_NAMES) as (keyof Fields)[];

export const fieldsOf = (title: Pick<TitleOut, "title" | "year" | "genres" | "description">): Fields => ({
  title: title.title,
  year: title.year === null ? "" : String(title.year),
  genres: title.genres.join(", "),
  description: title.description ?? "",
});

const listOf = (genres: string): string[] => genres.split(",").map((one) => one.trim()).filter(Boolean);
const alike = (name: keyof Fields, one: string, other: string): boolean =>
  name === "genres" ? listOf(one).join(",") === listOf(other).join(",") : one.trim() === other.trim();

/** The fields that differ from what the platform has: only these are sent. */
export function changes(before: Fields, after: Fields): TitleEdit {
  const edit: TitleEdit = {};
  for (const name of NAMES) {
    if (alike(name, before[name], after[name])) continue;
    if (name === "title") edit.title = after.title.trim();
    if (name === "year") edit.year = after.year.trim() === "" ? null : Number(after.year);
    if (name === "genres") edit.genres = listOf(after.genres);
    if (name === "description") edit.description = after.description.trim() || null;
  }
  return edit;
}

/** Fields that both changed, to different values: a person chooses. */
export function contested(before: Fields, mine: Fields, theirs: Fields): (keyof Fields)[] {
  return NAMES.filter(
    (name) =>
      !alike(name, before[name], mine[name]) &&
      !alike(name, before[name], theirs[name]) &&
      !alike(name, mine[name], theirs[name]),
  );
}

/** What each alone changed stays; of what both changed, mine, until a person chooses. */
export function merged(before: Fields, mine: Fields, theirs: Fields): Fields {
  const chosen = { ...theirs };
  for (const name of NAMES) if (!alike(name, before[name], mine[name])) chosen[name] = mine[name];
  return chosen;
}

// --- polling ----------------------------------------------------------------------------------------------------
export const FIRST_POLL_MS = 2000;
const SLOWEST_POLL_MS = 15_000;

/** The pause before the next poll: longer while nothing changes, short again once something does. */
export const nextPollMs = (before: number, changed: boolean): number =>
  changed ? FIRST_POLL_MS : Math.min(SLOWEST_POLL_MS, before * 1.5);

/** The shown titles with the fresh answers in their places. Nothing moves while somebody reads. */
export function withFresh(shown: readonly TitleOut[], fresh: readonly TitleOut[]): TitleOut[] {
  const byId = new Map(fresh.map((title) => [title.movie_id, title]));
  return shown.map((title) => byId.get(title.movie_id) ?? title);
}

/** Whether one of the fresh answers says something new of a title's work. */
export function hasMoved(shown: readonly TitleOut[], fresh: readonly TitleOut[]): boolean {
  const before = new Map(shown.map((title) => [title.movie_id, title]));
  return fresh.some((now) => {
    const was = before.get(now.movie_id);
    return (
      was !== undefined &&
      (was.state !== now.state ||
        was.revision !== now.revision ||
        was.newest_version?.state !== now.newest_version?.state ||
        was.newest_version?.stage !== now.newest_version?.stage ||
        was.newest_version?.percent !== now.newest_version?.percent)
    );
  });
}
