/** The client's paths, and the change from one page to another. Plain links work: their clicks are handled here. */

import { useEffect, useState } from "preact/hooks";
import { placeOf, type Place } from "./domain/upNext";

export type Route =
  | { page: "home" }
  | { page: "login" }
  | { page: "join" }
  | { page: "search"; query: string }
  | { page: "title"; movieId: string }
  | { page: "watch"; movieId: string }
  | { page: "history" }
  | { page: "upload"; replaces: string | null }
  | { page: "studio"; query: string }
  | { page: "analytics"; query: string }
  | { page: "account" }
  | { page: "missing" };

export function parseRoute(path: string, query: string): Route {
  const [first = "", second] = path.split("/").filter(Boolean);
  if (second !== undefined && (first === "title" || first === "watch")) {
    const movieId = decoded(second);
    return movieId === null ? { page: "missing" } : { page: first, movieId };
  }
  if (second !== undefined) return { page: "missing" };
  if (first === "") return { page: "home" };
  if (first === "search") return { page: "search", query: new URLSearchParams(query).get("q") ?? "" };
  if (first === "studio" || first === "analytics") return { page: first, query };
  if (first === "upload") return { page: "upload", replaces: new URLSearchParams(query).get("title") };
  if (["login", "join", "history", "account"].includes(first)) return { page: first } as Route;
  return { page: "missing" };
}

/** null: the bytes after a `%` are no text. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

export const paths = {
  home: "/",
  login: "/login",
  join: "/join",
  history: "/history",
  upload: "/upload",
  studio: (query = "") => (query === "" ? "/studio" : `/studio?${query}`),
  analytics: (query = "") => (query === "" ? "/analytics" : `/analytics?${query}`),
  replace: (movieId: string) => `/upload?${new URLSearchParams({ title: movieId })}`,
  account: "/account",
  search: (query: string) => (query === "" ? "/search" : `/search?${new URLSearchParams({ q: query })}`),
  title: (movieId: string) => `/title/${encodeURIComponent(movieId)}`,
  watch: (movieId: string) => `/watch/${encodeURIComponent(movieId)}`,
};

/** The page after a login must be a path of this client, never another site's address. */
export function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : paths.home;
}

const listeners = new Set<() => void>();
const scrolls = new Map<string, number>();
let entry = String(history.state?.entry ?? crypto.getRandomValues(new Uint32Array(1))[0]);
/** How many entries of this client lie before this one, without a page of another site between. */
let depth = Number(history.state?.depth) || 0;

let arrived = 0;

/** When the viewer asked for this page, by its monotonic clock: 0 for the page that the visit began with. */
export const arrivedAt = (): number => arrived;

function announce(): void {
  arrived = performance.now();
  for (const listener of listeners) listener();
}

function enter(next: string): void {
  scrolls.set(entry, window.scrollY);
  entry = next;
}

/** The place in a row that this history entry was opened from; null where it was not opened from a row. */
export const currentPlace = (): Place | null => placeOf(history.state);

/** `place`: where in a row the title stands that is opened. It stays with the history entry, also when the page is loaded again. */
export function navigate(path: string, options: { replace?: boolean; place?: Place | null } = {}): void {
  if (options.replace === true) {
    history.replaceState({ entry, depth, ...options.place }, "", path);
  } else {
    enter(String(Date.now()) + Math.random());
    depth += 1;
    history.pushState({ entry, depth, ...options.place }, "", path);
  }
  announce();
}

/** Back in this client's own history; to `fallback` where the visit began at this entry, so that Back never leaves the site. */
export function goBack(fallback: string = paths.home): void {
  if (depth > 0) history.back();
  else navigate(fallback, { replace: true });
}

/** The scroll position that this history entry had when the viewer left it; 0 for a new entry. */
export function keptScroll(): number {
  return scrolls.get(entry) ?? 0;
}

export function startRouter(): void {
  history.scrollRestoration = "manual";
  history.replaceState({ ...(history.state as object | null), entry, depth }, "");
  window.addEventListener("popstate", (event: PopStateEvent) => {
    const state = event.state as { entry?: string; depth?: number } | null;
    enter(String(state?.entry ?? ""));
    depth = state?.depth ?? 0;
    announce();
  });
  document.addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest?.("a[href]") as HTMLAnchorElement | null;
    if (event.defaultPrevented || event.button !== 0 || link === null) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target !== "" || link.origin !== location.origin || link.hasAttribute("download")) return;
    if (link.getAttribute("href")?.startsWith("#") === true || /^\/(api|schema)\b/.test(link.pathname)) return;
    event.preventDefault();
    const path = link.pathname + link.search;
    navigate(path, { replace: path === location.pathname + location.search, place: placeOfLink(link) });
  });
}

export function useLocation(): string {
  const [where, setWhere] = useState(() => location.pathname + location.search);
  useEffect(() => {
    const listener = () => setWhere(location.pathname + location.search);
    listeners.add(listener);
    listener();
    return () => void listeners.delete(listener);
  }, []);
  return where;
}

/** A link in a list of a row (`data-row`) says where in it the title stands; another link of a title's page keeps the page's. */
function placeOfLink(link: Element): Place | null {
  const list = link.closest<HTMLElement>("[data-row]");
  const item = link.closest("li");
  if (list === null) return null;
  const index = item === null ? 0 : [...(item.parentElement?.children ?? [])].indexOf(item);
  return placeOf({ row: list.dataset["row"], index });
}
