/** A row of titles that scrolls sideways and loads more near its end. Arrow keys move along it and between rows. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { rowPage } from "../api/calls";
import { asProblem, type Problem } from "../api/problem";
import type { Row, RowItem } from "../api/schema";
import { CONTINUE_WATCHING } from "../domain/home";
import { BackIcon, ForwardIcon } from "./icons";
import { useSentinel } from "./hooks";
import { RemoveButton } from "./Removal";
import { CardBones, TitleCard } from "./TitleCard";
import { HelpButton } from "./Trouble";

interface Props {
  row: Row;
  /** Tells the page what was loaded. The page keeps it for when the viewer comes back. */
  /** Take a title out of the row; only for rows from which a viewer may. */
  onRemove?: ((card: RowItem) => void) | undefined;
  onMore: (rowId: string, items: RowItem[], nextCursor: string | null) => void;
}

export function Shelf({ row, onMore, onRemove }: Props) {
  const track = useRef<HTMLUListElement>(null);
  const loading = useRef(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [edges, setEdges] = useState({ start: true, end: false });

  const more = useCallback(() => {
    if (loading.current || row.next_cursor === null) return;
    loading.current = true;
    rowPage(row.id, row.next_cursor)
      .then((page) => onMore(row.id, page.items, page.next_cursor))
      .catch((error: unknown) => setProblem(asProblem(error))) // the rest of the page is unaffected
      .finally(() => (loading.current = false));
  }, [row.id, row.next_cursor, onMore]);
  const sentinel = useSentinel<HTMLLIElement>(more, "0px 600px 0px 0px", row.next_cursor);

  const measure = useCallback(() => {
    const list = track.current;
    if (list === null) return;
    const start = list.scrollLeft < 8;
    const end = list.scrollLeft + list.clientWidth > list.scrollWidth - 8;
    setEdges((old) => (old.start === start && old.end === end ? old : { start, end }));
  }, []);
  // Told after the browser's own layout, at first and at each change of size: asking earlier would lay out rows that are not seen yet.
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(track.current!);
    return () => observer.disconnect();
  }, [measure, row.items.length]);

  const turn = (direction: 1 | -1) => {
    const list = track.current;
    list?.scrollBy({ left: direction * list.clientWidth * 0.85, behavior: motion() });
  };

  const heading = `row-${row.id}`;
  return (
    <section class="shelf" aria-labelledby={heading} data-testid={`row-${row.id}`} data-row={row.id}>
      <h2 id={heading}>{row.title}</h2>
      <div class="shelf-frame">
        <ul class="shelf-track" ref={track} onScroll={measure} onKeyDown={moveAlong}>
          {row.items.map((card) => (
            <li key={card.movie_id} class={onRemove === undefined ? "" : "removable"}>
              <TitleCard card={card} resume={row.id === CONTINUE_WATCHING} />
              {onRemove !== undefined && (
                <RemoveButton name={`Remove ${card.title} from ${row.title}`} remove={() => onRemove(card)} />
              )}
            </li>
          ))}
          {problem !== null && (
            <li class="shelf-failed">
              <div role="alert">
                <p>{problem.detail}</p>
                <HelpButton
                  problem={problem}
                  again={() => {
                    setProblem(null);
                    more();
                  }}
                />
              </div>
            </li>
          )}
          {row.next_cursor !== null && problem === null && <li ref={sentinel} class="shelf-more" aria-hidden="true" />}
        </ul>
        <button class="shelf-turn back" hidden={edges.start} onClick={() => turn(-1)} tabIndex={-1} aria-hidden="true">
          <BackIcon />
        </button>
        <button class="shelf-turn on" hidden={edges.end} onClick={() => turn(1)} tabIndex={-1} aria-hidden="true">
          <ForwardIcon />
        </button>
      </div>
    </section>
  );
}

/** A script's scrolling does not obey the style sheet's rule for viewers who want no motion. */
const motion = (): ScrollBehavior => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");

/** Left and right move along the row, up and down to the next row. Tab reaches every title too. */
function moveAlong(event: KeyboardEvent): void {
  const link = (event.target as Element).closest("a");
  const row = link?.closest("section");
  if (!link || !row) return;
  let next: Element | null | undefined;
  if (event.key === "ArrowRight") next = link.closest("li")?.nextElementSibling?.querySelector("a");
  else if (event.key === "ArrowLeft") next = link.closest("li")?.previousElementSibling?.querySelector("a");
  else if (event.key === "Home") next = row.querySelector("a");
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const beside = event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
    next = nearest(beside, link.getBoundingClientRect().left);
  } else return;
  event.preventDefault();
  if (next instanceof HTMLElement) {
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", inline: "nearest", behavior: motion() });
  }
}

function nearest(row: Element | null, left: number): Element | null {
  let best: Element | null = null;
  let distance = Number.POSITIVE_INFINITY;
  for (const link of row?.querySelectorAll(".shelf-track a") ?? []) {
    const away = Math.abs(link.getBoundingClientRect().left - left);
    if (away < distance) [best, distance] = [link, away];
  }
  return best;
}

export function ShelfBones() {
  return (
    <div class="shelf" aria-hidden="true">
      <div class="bone bone-heading" />
      <ul class="shelf-track">
        <CardBones count={8} />
      </ul>
    </div>
  );
}
