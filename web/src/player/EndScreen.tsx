/** What is shown when a film has ended: the next title of the same row with a count-down, "Replay" and "Back", and what is like it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { rowStart, similar as loadSimilar, title as loadTitle } from "../api/calls";
import type { RowItem } from "../api/schema";
import { Length } from "../components/Length";
import { PlayIcon, ReplayIcon } from "../components/icons";
import { Poster } from "../components/Poster";
import { TitleCard } from "../components/TitleCard";
import { genreRows, nextInRow, similarRow, similarTo, type Next } from "../domain/upNext";
import { currentPlace, navigate, paths } from "../router";
import "../styles/ending.css";
import { COUNT_DOWN_SECONDS, keepPlaysNext, mayCountDown, noteNext, noteTouch, playsNext } from "./upNext";

/** The next title is asked for when this share of the film was played: it is there when the film ends. */
const NEARLY = 0.95;
/** Of “More like this”: what a desktop shows in one line. */
const SHOWN_SIMILAR = 4;

interface Props {
  movieId: string;
  /** 0 to 1. */
  share: number;
  ended: boolean;
  replay: () => void;
  back: () => void;
}

export function EndScreen({ movieId, share, ended, replay, back }: Props) {
  const [next, setNext] = useState<Next<RowItem> | null>(null);
  const [similar, setSimilar] = useState<RowItem[]>([]);
  const near = ended || share >= NEARLY;
  useEffect(() => {
    if (!near) return;
    const controller = new AbortController();
    const found = loadSimilar(movieId, controller.signal)
      .catch((): RowItem[] => [])
      .then((cards) => cards.filter((card) => card.movie_id !== movieId));
    void found.then((cards) => !controller.signal.aborted && setSimilar(cards));
    findNext(movieId, found, controller.signal).then(setNext, () => undefined); // without it the screen offers Replay and Back
    return () => controller.abort();
  }, [near, movieId]);
  useEffect(() => {
    for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, noteTouch);
    return () => {
      for (const event of ["pointerdown", "keydown"]) document.removeEventListener(event, noteTouch);
    };
  }, []);
  if (!ended) return null;
  return <Ending movieId={movieId} next={next} similar={similar} replay={replay} back={back} />;
}

interface EndingProps {
  movieId: string;
  next: Next<RowItem> | null;
  similar: RowItem[];
  replay: () => void;
  back: () => void;
}

function Ending({ movieId, next, similar, replay, back }: EndingProps) {
  const [automatic, setAutomatic] = useState(playsNext);
  const [left, setLeft] = useState<number | null>(null);
  const began = useRef(false);
  const play = (pressed: boolean) => {
    if (next === null) return;
    noteNext(pressed);
    navigate(paths.watch(next.card.movie_id), { replace: true, place: next.place });
  };
  useEffect(() => {
    if (next === null || began.current || !mayCountDown()) return;
    began.current = true;
    setLeft(COUNT_DOWN_SECONDS);
  }, [next]);
  useEffect(() => {
    if (left === null) return;
    if (left <= 0) return play(false);
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  const stop = () => setLeft(null);
  return (
    <section class="ending" aria-label="The film has ended" data-testid="ending" onKeyDown={(event) => event.key === "Escape" && left !== null && (event.stopPropagation(), stop())}>
      {next !== null && (
        <div class="ending-next" data-testid="up-next">
          <div class="ending-picture">
            <Poster title={next.card.title} url={next.card.poster_url} eager shown="20rem" />
          </div>
          <div class="ending-words">
            <p class="ending-eyebrow" role="status">
              {left === null ? "Next" : <>Next in {COUNT_DOWN_SECONDS} seconds</>}
            </p>
            <h2 id="up-next" dir="auto">{next.card.title}</h2>
            <p class="facts">
              <Length seconds={next.card.duration_seconds} />
            </p>
            <div class="actions">
              <button class="button primary" onClick={() => play(true)} aria-describedby="up-next">
                <PlayIcon /> Play next
                {left !== null && (
                  <span class="ending-count" aria-hidden="true" data-testid="count-down">
                    {left}
                  </span>
                )}
              </button>
              {left !== null && (
                <button class="button glass" onClick={stop}>
                  Stop
                </button>
              )}
            </div>
          </div>
        </div>
      )}
      <div class="actions ending-other">
        <button
          class="button glass"
          onClick={() => {
            stop();
            replay();
          }}
        >
          <ReplayIcon /> Watch again
        </button>
        <button class="button glass" onClick={back}>
          Go back
        </button>
        {next !== null && (
          <button
            class="button glass"
            role="switch"
            aria-checked={automatic}
            onClick={() => {
              const on = !automatic;
              setAutomatic(on);
              keepPlaysNext(on);
              if (!on) stop();
            }}
          >
            Play the next film by itself: {automatic ? "on" : "off"}
          </button>
        )}
      </div>
      <Similar movieId={movieId} cards={similar.filter((card) => card.movie_id !== next?.card.movie_id)} chosen={stop} />
    </section>
  );
}

/** `chosen`: the viewer is here, so nothing else begins meanwhile. */
function Similar({ movieId, cards, chosen }: { movieId: string; cards: RowItem[]; chosen: () => void }) {
  if (cards.length === 0) return null;
  const row = similarRow(movieId);
  return (
    <section class="ending-similar" aria-labelledby="ending-similar" data-testid="ending-similar" data-row={row} onFocusIn={chosen}>
      <h2 id="ending-similar">More like this</h2>
      <ul>
        {cards.slice(0, SHOWN_SIMILAR).map((card) => (
          <li key={card.movie_id}>
            <TitleCard card={card} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/**
 * From the row that the viewer came from; else what is most like the film; else from the row of the film's first genre that has
 * one, or the new releases. A row that cannot be read is passed over.
 */
async function findNext(movieId: string, similar: Promise<RowItem[]>, signal: AbortSignal): Promise<Next<RowItem> | null> {
  const nextOf = async (row: string, items: () => Promise<RowItem[]>, index: number | null) => {
    try {
      return nextInRow(row, await items(), movieId, index);
    } catch (error) {
      if (signal.aborted) throw error;
      return null;
    }
  };
  const place = currentPlace();
  const came = place === null ? null : await nextOf(place.row, () => rowItems(place.row, signal), place.index);
  if (came !== null) return came;
  const like = await nextOf(similarRow(movieId), () => similar, null);
  if (like !== null) return like;
  const genres = (await loadTitle(movieId, signal)).genres;
  for (const row of [...genreRows(genres).slice(0, 3), "new-releases"]) {
    const found = await nextOf(row, async () => (await rowStart(row, signal)).items, null);
    if (found !== null) return found;
  }
  return null;
}

async function rowItems(row: string, signal: AbortSignal): Promise<RowItem[]> {
  const of = similarTo(row);
  return of === null ? (await rowStart(row, signal)).items : loadSimilar(of, signal);
}
