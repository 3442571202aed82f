/** Search as you type: only the newest query's answer is shown, older requests are aborted. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { search, searchOpened, searchRested } from "../api/calls";
import { asProblem, isAbort, type Problem } from "../api/problem";
import type { SearchResults as Page } from "../api/schema";
import { useSentinel, useSettled, useTitle } from "../components/hooks";
import { Empty, Trouble } from "../components/Trouble";
import { CardBones, TitleCard } from "../components/TitleCard";
import { moveInGrid } from "../components/grid";

const TYPING_PAUSE_MS = 140;
/** A query that stands this long is whole: until then it may be half a word, and reports do not count it. */
const REST_MS = 1500;

interface Found extends Omit<Page, "search_id"> {
  query: string;
  /** An API of an earlier release gives none. */
  search_id?: string;
}

export function SearchPage({ query }: { query: string }) {
  useTitle(query === "" ? "Search" : `“${query}”`);
  const settled = useSettled(query, TYPING_PAUSE_MS);
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [moreProblem, setMoreProblem] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  const loadingMore = useRef(false);
  /** Whether reports count this query already. */
  const isTold = useRef(false);

  useEffect(() => {
    setProblem(null);
    setMoreProblem(null);
    if (settled === "") {
      setFound(null);
      return;
    }
    const controller = new AbortController();
    isTold.current = false;
    search(settled, null, true, controller.signal).then(
      (page) => setFound({ ...page, query: settled }),
      (error: unknown) => isAbort(error) || setProblem(asProblem(error)),
    );
    const rest = setTimeout(() => {
      if (isTold.current) return;
      searchRested(settled, controller.signal).then(
        (searchId) => {
          isTold.current = true;
          if (searchId) setFound((old) => (old?.query === settled ? { ...old, search_id: searchId } : old));
        },
        () => undefined, // the viewer has results; only a report lacks this search
      );
    }, REST_MS);
    return () => {
      clearTimeout(rest);
      controller.abort();
    };
  }, [settled, attempt]);

  const more = useCallback(() => {
    if (found === null || found.next_cursor === null || loadingMore.current) return;
    loadingMore.current = true;
    search(found.query, found.next_cursor, false)
      .then((page) =>
        setFound((old) =>
          old === found ? { ...page, query: old.query, results: [...old.results, ...page.results] } : old,
        ),
      )
      .catch((error: unknown) => setMoreProblem(asProblem(error)))
      .finally(() => (loadingMore.current = false));
  }, [found]);
  const sentinel = useSentinel<HTMLDivElement>(more, "600px", found);

  const opened = (movieId: string, index: number) => {
    isTold.current = true;
    if (found?.search_id) searchOpened(found.search_id, movieId, index + 1);
  };

  const stale = found === null || found.query !== query;
  return (
    <div class="listing">
      <h1>{query === "" ? "Search" : <>Results for “<bdi>{query}</bdi>”</>}</h1>
      <p class="hidden-visually" role="status">
        {query !== "" && !stale && problem === null && announceCount(found)}
      </p>
      {query === "" && <p class="lead">Find a film by its title, by the people in it, or by genre. Typing errors are fine.</p>}
      {problem !== null && <Trouble problem={problem} again={() => setAttempt((n) => n + 1)} />}
      {query !== "" && problem === null && (
        <>
          {found !== null && found.results.length === 0 && !stale && (
            <Empty heading={`Nothing found for “${query}”`}>
              <p>Try fewer letters, another spelling, or the name of somebody in it.</p>
            </Empty>
          )}
          <ul class={`grid ${stale ? "stale" : ""}`} aria-label="Results" aria-busy={stale} onKeyDown={moveInGrid}>
            {found === null ? (
              <CardBones count={12} />
            ) : (
              found.results.map((result, index) => (
                <li
                  key={result.movie_id}
                  onClick={() => opened(result.movie_id, index)}
                  onAuxClick={(event) => event.button === 1 && opened(result.movie_id, index)}
                >
                  <TitleCard card={result} playable={result.playable} />
                </li>
              ))
            )}
          </ul>
          {moreProblem !== null && (
            <Trouble
              problem={moreProblem}
              again={() => {
                setMoreProblem(null);
                more();
              }}
            />
          )}
          {found !== null && found.next_cursor !== null && moreProblem === null && <div ref={sentinel} class="sentinel" />}
        </>
      )}
    </div>
  );
}

function announceCount(found: Found): string {
  const count = found.results.length;
  if (count === 0) return "No results";
  if (found.next_cursor !== null) return `More than ${count} results`;
  return count === 1 ? "1 result" : `${count} results`;
}
