/** What this profile watched, newest first, by day. */

import { useCallback, useRef, useState } from "preact/hooks";
import { clearHistory, removeFromHistory, watched } from "../api/calls";
import { asProblem, type Problem } from "../api/problem";
import type { HistoryItem } from "../api/schema";
import { moveInGrid } from "../components/grid";
import { useLoaded, useSentinel, useTitle } from "../components/hooks";
import { Question } from "../components/Question";
import { RemovalMessage, RemoveButton, useRemoval } from "../components/Removal";
import { CardBones, TitleCard } from "../components/TitleCard";
import { Empty, Trouble } from "../components/Trouble";
import { day } from "../domain/format";
import { paths } from "../router";

export function HistoryPage() {
  useTitle("History");
  const [first, reload] = useLoaded((signal) => watched(null, signal), []);
  const [later, setLater] = useState<{ items: HistoryItem[]; cursor: string | null } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const loading = useRef(false);
  const cursor = later !== null ? later.cursor : first.state === "ready" ? first.value.next_cursor : null;

  const more = useCallback(() => {
    if (cursor === null || loading.current) return;
    loading.current = true;
    watched(cursor)
      .then((page) => setLater((old) => ({ items: [...(old?.items ?? []), ...page.items], cursor: page.next_cursor })))
      .catch((error: unknown) => setProblem(asProblem(error)))
      .finally(() => (loading.current = false));
  }, [cursor]);
  const sentinel = useSentinel<HTMLDivElement>(more, "600px", cursor);

  const [removed, setRemoved] = useState<ReadonlySet<string>>(new Set());
  const removal = useRemoval();
  const [asking, setAsking] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);

  const all = first.state === "ready" ? [...first.value.items, ...(later?.items ?? [])] : [];
  const items = all.filter((item) => !removed.has(item.movie_id));
  const mark = (movieId: string, gone: boolean) =>
    setRemoved((old) => {
      const next = new Set(old);
      if (gone) next.add(movieId);
      else next.delete(movieId);
      return next;
    });
  const remove = ({ movie_id, title }: HistoryItem) =>
    removal.remove(
      title,
      "the history",
      () => removeFromHistory(movie_id),
      () => mark(movie_id, true),
      () => mark(movie_id, false),
    );
  const clear = async () => {
    try {
      await clearHistory();
      removal.say("The history is empty now.");
    } catch (error) {
      setProblem(asProblem(error));
    }
    setLater(null);
    setRemoved(new Set());
    reload();
  };
  return (
    <div class="listing">
      <RemovalMessage removal={removal} />
      <div class="listing-head">
        <h1>History</h1>
        {items.length > 0 && (
          <button class="button quiet" ref={opener} onClick={() => setAsking(true)}>
            Clear history
          </button>
        )}
      </div>
      {asking && (
        <Question
          heading="Clear the whole history?"
          yes="Clear everything"
          no="Keep it"
          answer={(yes) => {
            setAsking(false);
            opener.current?.focus();
            if (yes) void clear();
          }}
        >
          <p>Every film leaves the history of this profile, and films begin at their start again. This cannot be undone.</p>
        </Question>
      )}
      {first.state === "loading" && (
        <ul class="grid" aria-busy="true">
          <CardBones count={8} />
        </ul>
      )}
      {first.state === "failed" && <Trouble problem={first.problem} again={reload} />}
      {first.state === "ready" && items.length === 0 && cursor === null && (
        <Empty heading="You have not watched anything yet">
          <p>Films you play are listed here.</p>
          <a class="button primary" href={paths.home}>
            Find something
          </a>
        </Empty>
      )}
      {byDay(items).map(([name, group]) => (
        <section key={name} class="day" aria-label={name}>
          <h2>{name}</h2>
          <ul class="grid" onKeyDown={moveInGrid}>
            {group.map((item) => (
              <li key={item.movie_id} class="removable">
                <TitleCard card={item} />
                <RemoveButton name={`Remove ${item.title} from the history`} remove={() => remove(item)} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {problem !== null && (
        <Trouble
          problem={problem}
          again={() => {
            setProblem(null);
            more();
          }}
        />
      )}
      {cursor !== null && problem === null && <div ref={sentinel} class="sentinel" />}
    </div>
  );
}

function byDay(items: readonly HistoryItem[]): [string, HistoryItem[]][] {
  const groups = new Map<string, HistoryItem[]>();
  for (const item of items) {
    const name = day(item.last_watched_at);
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups];
}
