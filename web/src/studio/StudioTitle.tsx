/** One title of the studio: a row of the table on a desktop, a card on a phone; below it what was opened: notes, editing. */

import { useState } from "preact/hooks";
import { cancelVersion, deleteTitle, republishTitle, title as readTitle, unpublishTitle } from "../api/calls";
import { asProblem, type Problem } from "../api/problem";
import type { TitleOut } from "../api/schema";
import { Notes } from "../components/Notes";
import { Poster } from "../components/Poster";
import { Question } from "../components/Question";
import { ProblemNotice } from "../components/Trouble";
import { day, duration } from "../domain/format";
import { cancelWords, isInWork, newerVersionWords, STATE_TONES, STATE_WORDS, workWords } from "../domain/studio";
import { paths } from "../router";
import { STAGE_NAMES } from "../upload/followed";
import { EditTitle } from "./EditTitle";

type Opened = "notes" | "edit" | "cancel" | "delete" | null;

interface Props {
  title: TitleOut;
  /** What the platform has now; null: the title is gone. */
  changed: (title: TitleOut | null) => void;
}

export function StudioTitle({ title, changed }: Props) {
  const [opened, setOpened] = useState<Opened>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const id = `studio-${title.movie_id}`;
  const name = title.title;
  const gone = title.state === "deleted";
  const cancels = title.newest_version?.state === "uploading" ? "Cancel the upload" : "Cancel the ingest";
  const open = (what: Opened) => {
    setProblem(null);
    setOpened(opened === what ? null : what);
  };
  const attempt = async (work: () => Promise<TitleOut | null>) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      changed(await work());
      setOpened(null);
    } catch (error) {
      setProblem(asProblem(error));
      setOpened(null);
    } finally {
      setBusy(false);
    }
  };
  /** Null: the title went with its only upload. */
  const now = () =>
    readTitle(title.movie_id).catch((error: unknown) => {
      if (asProblem(error).status === 404) return null;
      throw error;
    });
  const cancel = async () => {
    await cancelVersion(title.movie_id, title.newest_version!.version);
    return now();
  };
  const remove = async () => {
    await deleteTitle(title.movie_id).catch((error: unknown) => {
      if (asProblem(error).status !== 404) throw error; // somebody else deleted it
    });
    return null;
  };
  return (
    <>
      <tr role="row" class="studio-row" data-testid="studio-title" data-state={title.state} aria-labelledby={id}>
        <td role="cell" class="studio-name">
          <div class="studio-poster">
            <Poster title={name} url={title.poster_url} shown="6rem" />
          </div>
          <div>
            {gone ? (
              <strong id={id} dir="auto">
                {name}
              </strong>
            ) : (
              <a class="studio-link" id={id} dir="auto" href={paths.title(title.movie_id)}>
                {name}
              </a>
            )}
            <p class="studio-facts">{facts(title)}</p>
          </div>
        </td>
        <td role="cell" class="studio-state">
          <State title={title} />
        </td>
        <td role="cell" class="studio-changed">
          <span class="studio-facts">
            {day(title.changed_at)}
            {title.newest_version?.uploaded_by && <span class="studio-by">by {title.newest_version.uploaded_by}</span>}
          </span>
        </td>
        <td role="cell" class="studio-actions">
          {!gone && (
            <>
              {title.notes.length > 0 && (
                <Action label={`Notes of ${name}`} opened={opened === "notes"} press={() => open("notes")}>
                  Notes ({title.notes.length})
                </Action>
              )}
              <Action label={`Edit ${name}`} opened={opened === "edit"} press={() => open("edit")}>
                Edit
              </Action>
              {(title.state === "playable" || title.state === "announced") && (
                <Action label={`Unpublish ${name}`} busy={busy} press={() => void attempt(() => unpublishTitle(title.movie_id))}>
                  Unpublish
                </Action>
              )}
              {title.state === "unpublished" && (
                <Action label={`Republish ${name}`} busy={busy} press={() => void attempt(() => republishTitle(title.movie_id))}>
                  Republish
                </Action>
              )}
              <a class="button quiet small" href={paths.replace(title.movie_id)} aria-label={`Replace the film of ${name}`}>
                Replace
              </a>
              {isInWork(title) && (
                <Action label={`Cancel the ingest of ${name}`} press={() => open("cancel")}>
                  Cancel
                </Action>
              )}
              <Action label={`Delete ${name}`} danger press={() => open("delete")}>
                Delete
              </Action>
            </>
          )}
          {opened === "cancel" && isInWork(title) && (
            <Question
              heading={`${cancels} of ${name}?`}
              yes={cancels}
              no="Go on with it"
              busy={busy}
              answer={(yes) => (yes ? void attempt(cancel) : setOpened(null))}
            >
              <p>{cancelWords(title)}</p>
            </Question>
          )}
          {opened === "delete" && (
            <Question
              heading={`Delete ${name}?`}
              yes="Delete for good"
              no="Keep it"
              busy={busy}
              answer={(yes) => (yes ? void attempt(remove) : setOpened(null))}
            >
              <p>
                Deleting removes the title from every page, its streams and pictures, and its uploaded files. It cannot be undone.
                Unpublish it to take it out for a while.
              </p>
            </Question>
          )}
        </td>
      </tr>
      {(opened === "notes" || opened === "edit" || problem !== null) && (
        <tr role="row" class="studio-opened">
          <td role="cell" colSpan={4}>
            {problem !== null && <ProblemNotice problem={problem} />}
            {opened === "notes" && <Notes notes={title.notes} of={name} />}
            {opened === "edit" && (
              <EditTitle
                title={title}
                saved={(saved) => {
                  changed(saved);
                  setOpened(null);
                }}
                close={() => setOpened(null)}
              />
            )}
          </td>
        </tr>
      )}
    </>
  );
}

/** `1994 · 1 h 50 min · version 2`. */
function facts(title: TitleOut): string {
  const words = [
    title.year === null ? "" : String(title.year),
    duration(title.duration_seconds),
    title.active_version === null ? "" : `version ${title.active_version}`,
  ];
  return words.filter(Boolean).join(" · ");
}

function State({ title }: { title: TitleOut }) {
  const newest = title.newest_version;
  const newer = newerVersionWords(title);
  const reason = title.reason ?? (newer === null ? null : (newest?.reason ?? null));
  return (
    <>
      <span class={`studio-badge ${STATE_TONES[title.state]}`}>{STATE_WORDS[title.state]}</span>
      {isInWork(title) && <Work title={title} />}
      {(newer !== null || reason !== null) && (
        <details class="studio-reason">
          <summary>{newer ?? "Why?"}</summary>
          <p dir="auto">{reason ?? "There is no reason."}</p>
        </details>
      )}
    </>
  );
}

function Work({ title }: { title: TitleOut }) {
  const newest = title.newest_version!;
  const words = workWords(newest.stage, newest.state, STAGE_NAMES);
  const percent = Math.round(newest.percent);
  const version = title.active_version === null ? "" : `Version ${newest.version}: `;
  return (
    <div class="studio-work">
      <div
        class={`bar ${newest.stage === "upload" ? "waiting" : ""}`}
        role="progressbar"
        aria-label={`Ingest of ${title.title}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={`${words}, ${percent} %`}
        style={{ "--part": `${newest.percent}%` }}
      >
        <i />
      </div>
      <p class="studio-facts">
        {version}
        {words}, {percent} %
      </p>
    </div>
  );
}

interface ActionProps {
  label: string;
  press: () => void;
  opened?: boolean;
  busy?: boolean;
  danger?: boolean;
  children: preact.ComponentChildren;
}

function Action({ label, press, opened, busy = false, danger = false, children }: ActionProps) {
  return (
    <button
      class={`button quiet small ${danger ? "danger" : ""}`}
      aria-label={label}
      aria-expanded={opened}
      disabled={busy}
      onClick={press}
    >
      {children}
    </button>
  );
}
