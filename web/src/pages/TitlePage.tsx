/** One title: its details, and buttons to play or resume, or the reason why it cannot be played. */

import { title as loadTitle } from "../api/calls";
import type { TitleOut } from "../api/schema";
import { mayUpload, who } from "../api/session";
import { useEffect, useState } from "preact/hooks";
import { Backdrop } from "../components/Backdrop";
import { Facts } from "../components/Facts";
import { Length } from "../components/Length";
import { Tracks } from "../components/Tracks";
import { useLoaded, useTitle } from "../components/hooks";
import { BackIcon, PlayIcon } from "../components/icons";
import { MoreLikeThis } from "../components/MoreLikeThis";
import { Notes } from "../components/Notes";
import { Notice, Trouble } from "../components/Trouble";
import { added, clock } from "../domain/format";
import { isLongName } from "../domain/placeholder";
import { TITLE_SENTENCES, type TitleState } from "../domain/rules";
import { askStream } from "../player/nextStream";
import { currentPlace, goBack, navigate, paths } from "../router";

export function TitlePage({ movieId }: { movieId: string }) {
  const [loaded, reload] = useLoaded((signal) => loadTitle(movieId, signal), [movieId]);
  useTitle(loaded.state === "ready" ? loaded.value.title : "");
  if (loaded.state === "failed") {
    return (
      <div class="listing">
        <h1>{loaded.problem.help === "home" ? "No such title" : "Title"}</h1>
        <Trouble problem={loaded.problem} again={reload} />
      </div>
    );
  }
  return (
    <article class="title">
      <button class="icon-button title-back" aria-label="Back" onClick={() => goBack()}>
        <BackIcon />
      </button>
      {loaded.state === "ready" ? <Details title={loaded.value} /> : <Bones />}
    </article>
  );
}

function Details({ title }: { title: TitleOut }) {
  return (
    <>
      <div class="title-picture">
        <Backdrop title={title.title} backdrop={title.backdrop} posterUrl={title.poster_url} />
      </div>
      <div class="title-words">
        <h1 dir="auto" class={isLongName(title.title) ? "long-name" : ""}>{title.title}</h1>
        <p class="facts">
          <Facts
            facts={[
              title.year,
              (title.duration_seconds ?? 0) > 0 && <Length seconds={title.duration_seconds} />,
              title.genres.slice(0, 4).join(", "),
              added(title.published_at),
            ]}
          />
        </p>
        {title.playable ? <PlayActions title={title} /> : <WhyNot state={title.state} />}
        <Notes notes={title.notes} />
        {title.description && <p class="title-description" dir="auto">{title.description}</p>}
        <dl class="title-facts">
          <Tracks tracks={title.tracks} />
          {title.people.length > 0 && (
            <div>
              <dt>People</dt>
              <dd>
                {title.people.slice(0, 12).map((name) => (
                  <a key={name} class="chip" dir="auto" href={paths.search(name)}>
                    {name}
                  </a>
                ))}
              </dd>
            </div>
          )}
          {title.genres.length > 0 && (
            <div>
              <dt>Genres</dt>
              <dd>
                {title.genres.map((genre) => (
                  <a key={genre} class="chip" dir="auto" href={paths.search(genre)}>
                    {genre}
                  </a>
                ))}
              </dd>
            </div>
          )}
        </dl>
      </div>
      <MoreLikeThis movieId={title.movie_id} />
    </>
  );
}

function PlayActions({ title }: { title: TitleOut }) {
  const [resume, setResume] = useState(0);
  useEffect(() => {
    let closed = false;
    askStream(title.movie_id).then(
      (answer) => !closed && setResume(answer.resume_position_seconds),
      () => undefined, // on failure the button says Play, and the player asks again
    );
    import("../player/WatchPage").catch(() => undefined); // the viewer probably plays the title next: load the player's code now
    return () => {
      closed = true;
    };
  }, [title.movie_id]);
  const part = title.duration_seconds ? Math.min(100, (100 * resume) / title.duration_seconds) : 0;
  return (
    <div class="title-actions">
      <div class="actions">
        <button class="button primary" onClick={() => navigate(paths.watch(title.movie_id), { place: currentPlace() })} data-testid="play">
          <PlayIcon /> {resume > 0 ? "Resume" : "Play"}
        </button>
        {resume > 0 && (
          <button class="button glass" onClick={() => navigate(`${paths.watch(title.movie_id)}?from=start`, { place: currentPlace() })}>
            From the start
          </button>
        )}
      </div>
      {resume > 0 && title.duration_seconds !== null && (
        <div class="title-progress">
          <div class="bar" style={{ "--part": `${part}%` }}>
            <i />
          </div>
          <span>
            {clock(resume)} of {clock(title.duration_seconds)}
          </span>
        </div>
      )}
    </div>
  );
}

function WhyNot({ state }: { state: TitleState }) {
  return (
    <div class="title-actions">
      <Notice kind={state === "refused" || state === "failed" ? "bad" : "plain"}>
        {state === "playable" ? "This title cannot be played at the moment." : TITLE_SENTENCES[state]}
        {mayUpload(who()) && state !== "ingesting" && (
          <>
            {" "}
            <a class="link" href={paths.upload}>
              Upload a film
            </a>
          </>
        )}
      </Notice>
    </div>
  );
}

function Bones() {
  return (
    <div aria-busy="true" class="title-bones">
      <div class="title-picture bone" />
      <div class="title-words">
        <div class="bone bone-title" />
        <div class="bone bone-line" />
        <div class="bone bone-line short" />
      </div>
    </div>
  );
}
