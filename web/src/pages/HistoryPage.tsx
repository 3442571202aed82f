/** What this profile watched, newest first, by day. */

import { useCallback, useRef, useState } from "preact/hooks";
import { watched } from "../api/calls";
import { asProblem, type Problem } from "../api/problem";
import type { HistoryItem } from "../api/schema";
import { moveInGrid } from "../components/grid";
import { useLoaded, useSentinel, useTitle } from "../components/hooks";
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

  const items = first.state === "ready" ? [...first.value.items, ...(later?.items ?? [])] : [];
  return (
    <div class="listing">
      <h1>History</h1>
      {first.state === "loading" && (
        <ul class="grid" aria-busy="true">
          <CardBones count={8} />
        </ul>
      )}
      {first.state === "failed" && <Trouble problem={first.problem} again={reload} />}
      {first.state === "ready" && items.length === 0 && (
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
              <li key={item.movie_id}>
                <TitleCard card={item} />
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
