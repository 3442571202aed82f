/** The list of titles, page by page; titles in work are asked for again while the tab can be seen. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { listTitles, title as readTitle } from "../api/calls";
import { asProblem, isAbort, type Problem } from "../api/problem";
import type { TitleOut } from "../api/schema";
import { FIRST_POLL_MS, hasMoved, isInWork, nextPollMs, withFresh, type Filter } from "../domain/studio";
import { pauseMs } from "../upload/send";

const PAGE = 25;
const MAX_IN_WORK = 100;
const MAX_SINGLE = 10;

export interface Titles {
  titles: TitleOut[] | null;
  more: boolean;
  busy: boolean;
  problem: Problem | null;
  readMore: () => void;
  reload: () => void;
  /** A title that changed by something done here; null: it is gone. */
  replace: (movieId: string, title: TitleOut | null) => void;
}

export function useTitles(filter: Filter): Titles {
  const [titles, setTitles] = useState<TitleOut[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);
  const [problem, setProblem] = useState<Problem | null>(null);
  /** Why titles in work are not asked for any more, until the list is read again. */
  const [ended, setEnded] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  const running = useRef<AbortController | null>(null);

  const read = (from: string | null) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setBusy(true);
    setProblem(null);
    setEnded(null);
    listTitles({ ...filter, limit: PAGE, cursor: from }, controller.signal).then(
      (page) => {
        setTitles((shown) => {
          const before = from === null ? [] : (shown ?? []);
          const known = new Set(before.map((one) => one.movie_id));
          // A title that changed meanwhile came to the front, and one of the page before comes again.
          return [...before, ...page.titles.filter((one) => !known.has(one.movie_id))];
        });
        setCursor(page.next_cursor);
        setBusy(false);
      },
      (error: unknown) => {
        if (isAbort(error)) return;
        setProblem(asProblem(error));
        setBusy(false);
      },
    );
  };
  useEffect(() => {
    setTitles(null);
    setCursor(null);
    read(null);
    return () => running.current?.abort();
  }, [filter.text, filter.state, filter.withNotes, filter.inWork, attempt]);

  usePolling(ended === null ? titles : null, setTitles, setEnded);
  const replace = useCallback((movieId: string, title: TitleOut | null) => {
    setTitles((shown) =>
      (shown ?? []).flatMap((one) => (one.movie_id !== movieId ? [one] : title === null ? [] : [title])),
    );
  }, []);
  return {
    titles,
    more: cursor !== null,
    busy,
    problem: problem ?? ended,
    readMore: () => read(cursor),
    reload: () => setAttempt((n) => n + 1),
    replace,
  };
}

/** Asks for titles in work until none is left, or until asking cannot help: `ended` is told why. */
function usePolling(
  titles: TitleOut[] | null,
  setTitles: (change: (shown: TitleOut[] | null) => TitleOut[] | null) => void,
  ended: (problem: Problem) => void,
) {
  const latest = useRef(titles);
  latest.current = titles;
  const working = titles?.some(isInWork) === true;
  useEffect(() => {
    if (!working) return;
    const controller = new AbortController();
    let timer = 0;
    let wait = FIRST_POLL_MS;
    let failures = 0;
    const later = (ms: number) => {
      clearTimeout(timer);
      timer = window.setTimeout(() => void poll(), ms);
    };
    const poll = async () => {
      if (document.visibilityState !== "visible") return;
      const shown = latest.current ?? [];
      try {
        const fresh = await freshOf(shown.filter(isInWork), controller.signal);
        wait = nextPollMs(wait, hasMoved(shown, fresh));
        failures = 0;
        setTitles((now) => (now === null ? now : withFresh(now, fresh)));
        later(wait);
      } catch (error) {
        if (isAbort(error)) return;
        const found = asProblem(error);
        if (found.help !== "again") return ended(found);
        failures += 1;
        later(Math.max(wait, pauseMs(failures), 1000 * (found.retryAfterSeconds ?? 0)));
      }
    };
    const onVisible = () => document.visibilityState === "visible" && later(0);
    document.addEventListener("visibilitychange", onVisible);
    later(wait);
    return () => {
      controller.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [working]);
}

/** One request for all titles in work. Those that are not in its answer have ended: they are read one by one, some at a time. */
async function freshOf(working: readonly TitleOut[], signal: AbortSignal): Promise<TitleOut[]> {
  const filter = { text: "", state: "", withNotes: false, inWork: true } as const;
  const { titles } = await listTitles({ ...filter, limit: MAX_IN_WORK, cursor: null }, signal);
  const found = new Set(titles.map((one) => one.movie_id));
  const ended = working.filter((one) => !found.has(one.movie_id)).slice(0, MAX_SINGLE);
  const read = await Promise.allSettled(ended.map((one) => readTitle(one.movie_id, signal)));
  signal.throwIfAborted();
  const single = read.flatMap((one, at) => {
    if (one.status === "fulfilled") return [one.value];
    // It was deleted, or its only upload was ended: its row says so until the list is read again.
    if (asProblem(one.reason).status !== 404) return [];
    return [{ ...ended[at]!, state: "deleted" as const, newest_version: null }];
  });
  return [...titles, ...single];
}
