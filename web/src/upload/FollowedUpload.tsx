/** An upload whose bytes have arrived: shows its stage and per cent until it is playable or refused. */

import { useEffect, useState } from "preact/hooks";
import { uploadStatus } from "../api/calls";
import { asProblem, isAbort, type Problem } from "../api/problem";
import type { UploadStatus } from "../api/schema";
import { CheckIcon, CloseIcon } from "../components/icons";
import { Notes } from "../components/Notes";
import { Notice, ProblemNotice } from "../components/Trouble";
import { ENDED, STAGES } from "../domain/rules";
import { paths } from "../router";
import { outcomeSentence, progressWords, STAGE_NAMES } from "./followed";
import { pauseMs } from "./send";

const POLL_MS = 1500;

interface Props {
  uploadId: string;
  title: string;
  remove: () => void;
}

export function FollowedUpload({ uploadId, title, remove }: Props) {
  const [status, setStatus] = useState<UploadStatus | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    const controller = new AbortController();
    let timer = 0;
    let failures = 0;
    const ask = async () => {
      let wait = POLL_MS;
      try {
        const answer = await uploadStatus(uploadId, controller.signal);
        setStatus(answer);
        setProblem(null);
        failures = 0;
        if (ENDED.has(answer.state)) return;
      } catch (error) {
        if (isAbort(error)) return;
        const found = asProblem(error);
        setProblem(found);
        if (found.help !== "again") return; // asking again cannot help
        failures += 1;
        wait = Math.max(pauseMs(failures), 1000 * (found.retryAfterSeconds ?? 0));
      }
      timer = window.setTimeout(() => void ask(), wait);
    };
    void ask();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [uploadId]);

  const ended = status !== null && ENDED.has(status.state);
  return (
    <article class="film" aria-label={title} data-testid="upload" data-state={status?.state ?? "unknown"}>
      <header class="film-head">
        <div>
          <h2>{title}</h2>
          {status !== null && status.file_name !== title && <p class="film-file">{status.file_name}</p>}
        </div>
        {(ended || problem?.status === 404) && (
          <button class="icon-button" aria-label={`Take ${title} off this list`} onClick={remove}>
            <CloseIcon />
          </button>
        )}
      </header>
      {status !== null && !ended && <Chain status={status} />}
      {status !== null && ended && <Outcome status={status} title={title} />}
      {status !== null && <Notes notes={status.notes} of={title} />}
      {problem !== null && <ProblemNotice problem={problem} />}
    </article>
  );
}

function Chain({ status }: { status: UploadStatus }) {
  const at = STAGES.findIndex((stage) => stage === status.stage);
  const words = progressWords(status);
  const percent = Math.round(status.percent);
  return (
    <>
      <div
        class={`bar ${at < 0 ? "waiting" : ""}`}
        role="progressbar"
        aria-label="Ingest"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={`${words}, ${percent} %`}
        style={{ "--part": `${status.percent}%` }}
      >
        <i />
      </div>
      <p class="film-now">
        <strong>{words}</strong>
        <span>
          {percent} %{status.speed !== null && status.speed >= 0.05 && ` · ${status.speed.toFixed(1)}× real time`}
        </span>
      </p>
      <ol class="stages" aria-hidden="true">
        {STAGES.map((stage, index) => (
          <li key={stage} class={index < at ? "done" : index === at ? "now" : ""}>
            {index < at && <CheckIcon />}
            {STAGE_NAMES[stage]}
          </li>
        ))}
      </ol>
    </>
  );
}

function Outcome({ status, title }: { status: UploadStatus; title: string }) {
  if (status.state === "playable") {
    return (
      <Notice kind="good">
        {title} can be played now.{" "}
        <a class="link" href={paths.title(status.movie_id)}>
          Open it
        </a>
        {status.reason !== null && <p>{status.reason}</p>}
      </Notice>
    );
  }
  if (status.state === "refused" || status.state === "failed") {
    return (
      <Notice kind="bad">
        <strong>{status.state === "refused" ? "Refused" : "Failed"}</strong>
        <p>{outcomeSentence(status)}</p>
      </Notice>
    );
  }
  return <Notice kind="plain">{outcomeSentence(status)}</Notice>;
}
