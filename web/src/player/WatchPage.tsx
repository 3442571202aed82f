/** The player's page: requests the stream, then shows the player or the reason why the title cannot be played. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import { progress, stream } from "../api/calls";
import "../styles/player.css";
import "../styles/captions.css";
import "../styles/player-panels.css";
import { useLoaded, useTitle } from "../components/hooks";
import { BackIcon } from "../components/icons";
import { HelpButton } from "../components/Trouble";
import { ProgressReporter } from "../domain/progress";
import { arrivedAt, goBack, paths } from "../router";
import { takePlace } from "./leftAt";
import { takeStream } from "./nextStream";
import { Player } from "./Player";

export function WatchPage({ movieId }: { movieId: string }) {
  const openedAt = useRef(arrivedAt());
  const [loaded, reload] = useLoaded((signal) => takeStream(movieId, signal), [movieId]);
  const fromStart = useMemo(() => new URLSearchParams(location.search).get("from") === "start", [movieId]);
  const kept = useMemo(() => takePlace(movieId), [movieId]);
  const again = () => {
    openedAt.current = performance.now();
    reload();
  };
  const back = () => goBack(paths.title(movieId));
  const page = useRef<HTMLElement>(null);
  useTitle(loaded.state === "ready" ? loaded.value.title : "");
  useEffect(() => page.current?.focus({ preventScroll: true }), []);

  const reporter = useMemo(
    () =>
      new ProgressReporter(async (sample, leaving) => {
        await progress(movieId, sample.position_seconds, sample.age_ms, leaving);
        return true;
      }),
    [movieId],
  );

  return (
    <main id="main" class="watch" tabIndex={-1} ref={page}>
      {loaded.state === "ready" ? (
        <Player
          stream={loaded.value}
          openedAt={openedAt.current}
          startSeconds={kept ?? (fromStart ? 0 : loaded.value.resume_position_seconds)}
          renew={(sessionId) => stream(movieId, undefined, sessionId)}
          reporter={reporter}
          back={back}
        />
      ) : (
        <div class="watch-message">
          <button class="icon-button watch-back" aria-label="Back" onClick={back}>
            <BackIcon />
          </button>
          {loaded.state === "loading" ? (
            <div class="spinner" role="status" aria-label="Loading" />
          ) : (
            <div role="alert">
              <h1>{loaded.problem.status === 409 ? "Not playable" : "This film cannot be played now"}</h1>
              <p>{loaded.problem.detail}</p>
              <div class="actions">
                <HelpButton problem={loaded.problem} again={again} kind="primary" />
                <button class="button" onClick={back}>
                  Go back
                </button>
              </div>
            </div>
          )}
        </div>
      )}
    </main>
  );
}
