/** What is shown when a film has ended: the next title of the same row with a count-down, "Replay" and "Back". */

import { useEffect, useRef, useState } from "preact/hooks";
import { rowStart, title as loadTitle } from "../api/calls";
import type { RowItem } from "../api/schema";
import { Length } from "../components/Length";
import { PlayIcon, ReplayIcon } from "../components/icons";
import { Poster } from "../components/Poster";
import { genreRows, nextInRow, type Next } from "../domain/upNext";
import { currentPlace, navigate, paths } from "../router";
import "../styles/ending.css";
import { COUNT_DOWN_SECONDS, keepPlaysNext, mayCountDown, noteNext, noteTouch, playsNext } from "./upNext";

/** The next title is asked for when this share of the film was played: it is there when the film ends. */
const NEARLY = 0.95;

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
  const near = ended || share >= NEARLY;
  useEffect(() => {
    if (!near) return;
    const controller = new AbortController();
    findNext(movieId, controller.signal).then(setNext, () => undefined); // without it the screen offers Replay and Back
    return () => controller.abort();
  }, [near, movieId]);
  useEffect(() => {
    for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, noteTouch);
    return () => {
      for (const event of ["pointerdown", "keydown"]) document.removeEventListener(event, noteTouch);
    };
  }, []);
  if (!ended) return null;
  return <Ending next={next} replay={replay} back={back} />;
}

function Ending({ next, replay, back }: { next: Next<RowItem> | null; replay: () => void; back: () => void }) {
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
            <Poster title={next.card.title} url={next.card.poster_url} eager />
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
    </section>
  );
}

/** From the row that the viewer came from; else from the row of the film's first genre that has one, or the new releases. */
async function findNext(movieId: string, signal: AbortSignal): Promise<Next<RowItem> | null> {
  const place = currentPlace();
  if (place !== null) {
    const found = nextInRow(place.row, (await rowStart(place.row, signal)).items, movieId, place.index);
    if (found !== null) return found;
  }
  const genres = (await loadTitle(movieId, signal)).genres;
  for (const row of [...genreRows(genres).slice(0, 3), "new-releases"]) {
    try {
      const found = nextInRow(row, (await rowStart(row, signal)).items, movieId, null);
      if (found !== null) return found;
    } catch (error) {
      if (signal.aborted) throw error;
      // This row cannot be read: the next one.
    }
  }
  return null;
}
