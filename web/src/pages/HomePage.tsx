/** Home: one large film, then rows. What was loaded is kept, so that coming back is instant and at the same position. */

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { hideFromContinueWatching, home, title as loadTitle } from "../api/calls";
import { asProblem, isAbort, unavailable, type Problem } from "../api/problem";
import { mayUpload, onSessionChange, who } from "../api/session";
import type { Home as Page, Row, RowItem, TitleOut } from "../api/schema";
import { Backdrop } from "../components/Backdrop";
import { InfoIcon, PlayIcon } from "../components/icons";
import { useGradually, useSentinel, useTitle } from "../components/hooks";
import { Facts } from "../components/Facts";
import { Length } from "../components/Length";
import { RemovalMessage, useRemoval } from "../components/Removal";
import { Shelf, ShelfBones } from "../components/Shelf";
import { Empty, Trouble } from "../components/Trouble";
import { isLongName } from "../domain/placeholder";
import {
  CONTINUE_WATCHING,
  missingRows,
  withItemBack,
  withMoreItems,
  withNextRows,
  withoutItem,
  withRefreshedStart,
} from "../domain/home";
import { keptScroll, paths } from "../router";

/** As many as the highest usual screen shows. */
const FIRST_ROWS = 3;

/** For screen readers: what is seen of the page says by itself that it is home. */
const HEADING = <h1 class="hidden-visually">Home</h1>;

let kept: { profileId: string; page: Page } | null = null;
onSessionChange(() => {
  if (kept !== null && who()?.profileId !== kept.profileId) kept = null;
});

export function HomePage() {
  useTitle("");
  const [page, setPage] = useState<Page | null>(() => kept?.page ?? null);
  const [cameBack] = useState(page !== null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  const loadingMore = useRef(false);
  const removal = useRemoval();

  useEffect(() => {
    const profileId = who()?.profileId;
    if (page !== null && profileId !== undefined) kept = { profileId, page };
  }, [page]);
  useLayoutEffect(() => window.scrollTo(0, keptScroll()), []);

  useEffect(() => {
    const controller = new AbortController();
    setProblem(null);
    home(null, controller.signal).then(
      (fresh) => setPage((old) => (old === null ? fresh : withRefreshedStart(old, fresh))),
      (error: unknown) => isAbort(error) || setProblem(asProblem(error)),
    );
    return () => controller.abort();
  }, [attempt]);

  const more = useCallback(() => {
    const cursor = page?.next_cursor ?? null;
    if (cursor === null || loadingMore.current) return;
    loadingMore.current = true;
    home(cursor)
      .then((next) => setPage((old) => (old?.next_cursor === cursor ? withNextRows(old, next) : old)))
      .catch((error: unknown) => setProblem(asProblem(error)))
      .finally(() => (loadingMore.current = false));
  }, [page]);
  // Rows below the screen wait until those on it are drawn. On the way back all are there at once, for the scroll position.
  const rendered = useGradually(page?.rows.length ?? 0, cameBack ? Infinity : FIRST_ROWS);
  const allRendered = rendered === (page?.rows.length ?? 0);
  const sentinel = useSentinel<HTMLDivElement>(more, "900px", allRendered ? page?.next_cursor : null);

  const onMore = useCallback(
    (rowId: string, items: RowItem[], cursor: string | null) =>
      setPage((old) => (old === null ? old : withMoreItems(old, rowId, items, cursor))),
    [],
  );

  if (page === null) {
    if (problem !== null) {
      return (
        <>
          {HEADING}
          <Trouble problem={problem} again={() => setAttempt((n) => n + 1)} />
        </>
      );
    }
    // By its key the element of the rows stays the same, at its place: else another one would move there when the page is filled.
    return (
      <>
        {HEADING}
        <div key="hero-bones" class="hero bone" aria-hidden="true" />
        <div key="shelves" class="shelves" aria-busy="true">
          <ShelfBones />
          <ShelfBones />
        </div>
      </>
    );
  }
  const reload = () => setAttempt((n) => n + 1);
  const lacking = missingRows(page);
  if (page.rows.length === 0 && (problem !== null || lacking !== null)) {
    return (
      <>
        {HEADING}
        <Trouble problem={problem ?? unavailable(lacking ?? "")} again={reload} />
      </>
    );
  }
  if (page.rows.length === 0) {
    return (
      <>
        {HEADING}
        <Empty heading="Nothing is on yet">
          <p>Films appear here as soon as the first one has been ingested.</p>
          {mayUpload(who()) && (
            <a class="button primary" href={paths.upload}>
              Upload a film
            </a>
          )}
        </Empty>
      </>
    );
  }
  const featured = featuredOf(page.rows);
  const removeCard = (row: Row, card: RowItem) => {
    const place = page.rows.indexOf(row);
    removal.remove(
      card.title,
      row.title,
      () => hideFromContinueWatching(card.movie_id),
      () => setPage((old) => old && withoutItem(old, row.id, card.movie_id)),
      () => setPage((old) => old && withItemBack(old, row, place, card.movie_id)),
    );
  };
  return (
    <>
      <RemovalMessage removal={removal} />
      {HEADING}
      {featured !== null && <Hero key={featured.movie_id} card={featured} />}
      <div key="shelves" class="shelves" aria-busy={false}>
        {lacking !== null && <Trouble problem={unavailable(lacking)} again={reload} />}
        {page.rows.slice(0, rendered).map((row) => (
          <Shelf
            key={row.id}
            row={row}
            onMore={onMore}
            onRemove={row.id === CONTINUE_WATCHING ? (card) => removeCard(row, card) : undefined}
          />
        ))}
        {page.next_cursor !== null && problem === null && allRendered && (
          <div ref={sentinel} aria-busy="true">
            <ShelfBones />
          </div>
        )}
        {problem !== null && (
          <Trouble
            problem={problem}
            again={() => {
              setProblem(null);
              if (page.next_cursor === null) reload();
              else more();
            }}
          />
        )}
      </div>
    </>
  );
}

/** The newest film, or any film if there is no new one. */
function featuredOf(rows: Row[]): RowItem | null {
  const row = rows.find((each) => each.id === "new-releases") ?? rows.find((each) => each.id !== CONTINUE_WATCHING);
  return row?.items[0] ?? null;
}

function Hero({ card }: { card: RowItem }) {
  const [details, setDetails] = useState<TitleOut | "waiting" | "missing">("waiting");
  useEffect(() => {
    const controller = new AbortController();
    loadTitle(card.movie_id, controller.signal).then(setDetails, () => setDetails("missing")); // the card alone is enough
    return () => controller.abort();
  }, [card.movie_id]);
  const description = typeof details === "string" ? null : details.description;
  return (
    <section class="hero" aria-labelledby="featured" data-testid="hero" data-row="new-releases">
      <div class="hero-picture">
        <Backdrop title={card.title} backdrop={card.backdrop} posterUrl={card.poster_url} />
      </div>
      <div class="hero-words">
        <p class="eyebrow">New on Marquee</p>
        <h2 id="featured" dir="auto" class={isLongName(card.title) ? "long-name" : ""}>
          {card.title}
        </h2>
        <p class="facts">
          <Facts
            facts={[
              card.year,
              (card.duration_seconds ?? 0) > 0 && <Length seconds={card.duration_seconds} />,
              (card.genres ?? []).slice(0, 3).join(", "),
            ]}
          />
        </p>
        {details === "waiting" && <p class="hero-description waiting" />}
        {description && <p class="hero-description" dir="auto">{description}</p>}
        <div class="actions">
          <a class="button primary" href={paths.watch(card.movie_id)} aria-label={`Play ${card.title}`}>
            <PlayIcon /> Play
          </a>
          <a class="button glass" href={paths.title(card.movie_id)}>
            <InfoIcon />
            <span>
              More<span class="hidden-visually"> about {card.title}</span>
            </span>
          </a>
        </div>
      </div>
    </section>
  );
}
