/** A chosen file: its details, then its transfer, then its ingest. */

import { useEffect, useRef, useState } from "preact/hooks";
import { abortUpload } from "../api/calls";
import { asProblem, isAbort, type Problem } from "../api/problem";
import type { SidecarOut, UploadOpened } from "../api/schema";
import { CloseIcon } from "../components/icons";
import { Notes } from "../components/Notes";
import { ProblemNotice } from "../components/Trouble";
import { bytes, clock } from "../domain/format";
import { guessTitle } from "../domain/parts";
import { FilmDetails, type Details } from "./FilmDetails";
import { FollowedUpload } from "./FollowedUpload";
import { openFilm } from "./opening";
import { forget, remember, unfinished, type Remembered } from "./remembered";
import { Transfer, type TransferProgress } from "./transfer";

type Step = "details" | "sending" | "paused" | "arrived";

interface Props {
  file: File;
  /** The title that gets a new version; null: the film becomes a title. */
  replaces: { movieId: string; title: string } | null;
  transferring: (yes: boolean) => void;
  remove: () => void;
}

export function NewFilm({ file, replaces, transferring, remove }: Props) {
  const [details, setDetails] = useState<Details>(() => ({
    ...guessTitle(file.name),
    genres: "",
    description: "",
    hot: false,
    ...unfinished(file.name, file.size, replaces?.movieId)?.details,
    ...(replaces === null ? {} : { title: replaces.title }),
    subtitles: [],
  }));
  const [step, setStep] = useState<Step>("details");
  const [opened, setOpened] = useState<UploadOpened | null>(null);
  const [progress, setProgress] = useState<TransferProgress | null>(null);
  const [sidecars, setSidecars] = useState<SidecarOut[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const transfer = useRef<Transfer | null>(null);
  const stop = useRef<AbortController | null>(null);
  const begun = useRef({ at: 0, bytes: 0 });

  useEffect(() => () => stop.current?.abort(), []);
  useEffect(() => {
    transferring(step === "sending");
    return () => transferring(false);
  }, [step]);

  const entry = ({ upload_id: uploadId }: UploadOpened, arrived: boolean): Remembered => ({
    uploadId,
    title: details.title.trim(),
    fileName: file.name,
    sizeBytes: file.size,
    arrived,
    ...(replaces === null ? {} : { replaces: replaces.movieId }),
    details: { ...details, subtitles: [] }, // files cannot be stored
  });
  const open = async (): Promise<UploadOpened> => {
    if (opened !== null && transfer.current !== null) return opened;
    setSidecars([]);
    const answer = await openFilm(
      file,
      details,
      (found) => {
        setOpened(found);
        remember(entry(found, false));
      },
      (sidecar) => setSidecars((before) => [...before, sidecar]),
      replaces?.movieId ?? null,
    );
    transfer.current = new Transfer(file, answer, setProgress);
    return answer;
  };

  const send = async () => {
    setProblem(null);
    setStep("sending");
    const controller = new AbortController();
    stop.current = controller;
    try {
      const answer = await open();
      begun.current = { at: performance.now(), bytes: progress?.sentBytes ?? 0 };
      await transfer.current!.run(controller.signal);
      remember(entry(answer, true));
      setStep("arrived");
    } catch (error) {
      if (!isAbort(error)) setProblem(asProblem(error));
      setStep(transfer.current === null ? "details" : "paused");
    }
  };
  const cancel = async () => {
    stop.current?.abort();
    try {
      if (opened !== null) {
        await abortUpload(opened.upload_id);
        forget(opened.upload_id);
      }
      remove();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };

  if (step === "arrived" && opened !== null) {
    return <FollowedUpload uploadId={opened.upload_id} title={details.title} remove={remove} />;
  }
  const part = progress === null || file.size === 0 ? 0 : (100 * progress.sentBytes) / file.size;
  return (
    <article class="film" aria-label={details.title || file.name} data-testid="upload" data-state={step}>
      <header class="film-head">
        <div>
          <h2>{step === "details" ? file.name : details.title}</h2>
          <p class="film-file">
            {step === "details" ? bytes(file.size) : `${file.name} · ${bytes(file.size)}`}
          </p>
        </div>
        {step === "details" && (
          <button class="icon-button" aria-label={`Take ${file.name} off this list`} onClick={() => void cancel()}>
            <CloseIcon />
          </button>
        )}
      </header>
      {problem !== null && <ProblemNotice problem={problem} />}
      {step !== "details" && <ReadSubtitles sidecars={sidecars} />}
      {step === "details" ? (
        <FilmDetails details={details} replacing={replaces !== null} change={setDetails} problem={problem} send={() => void send()} />
      ) : (
        <>
          <div
            class="bar"
            role="progressbar"
            aria-label="Upload"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(part)}
            style={{ "--part": `${part}%` }}
          >
            <i />
          </div>
          <p class="film-now">
            <strong>{step === "paused" ? "Paused" : part >= 100 ? "Checking the parts" : "Uploading"}</strong>
            <span>{progress !== null && pace(progress, file.size, begun.current, step === "sending")}</span>
          </p>
          <div class="actions">
            {step === "sending" ? (
              <button class="button" onClick={() => stop.current?.abort()}>
                Pause
              </button>
            ) : (
              <button class="button primary" onClick={() => void send()}>
                Go on
              </button>
            )}
            <button class="button quiet danger" onClick={() => void cancel()}>
              Cancel upload
            </button>
          </div>
        </>
      )}
    </article>
  );
}

/** How the platform read the subtitle files: above all an encoding that it guessed. */
function ReadSubtitles({ sidecars }: { sidecars: SidecarOut[] }) {
  return (
    <>
      {sidecars.map((one, at) => (
        <div key={at} data-testid="read-subtitles">
          <p class="film-file">
            {one.file_name}: {one.label}, {one.encoding}
            {one.encoding_guessed && one.first_line !== null && <q>{one.first_line}</q>}
          </p>
          <Notes notes={one.notes} of={one.file_name} />
        </div>
      ))}
    </>
  );
}

/** `12.0 of 80.0 MB · part 3 of 10 · 4.1 MB/s · 0:16 left` */
function pace(progress: TransferProgress, size: number, begun: { at: number; bytes: number }, moving: boolean): string {
  const words = [
    `${bytes(progress.sentBytes)} of ${bytes(size)}`,
    `${progress.partsDone} of ${progress.partsTotal} ${progress.partsTotal === 1 ? "part" : "parts"}`,
  ];
  const seconds = (performance.now() - begun.at) / 1000;
  const sent = progress.sentBytes - progress.heldBytes - begun.bytes;
  if (moving && seconds > 1 && sent > 0) {
    const rate = sent / seconds;
    words.push(`${bytes(rate)}/s`, `${clock((size - progress.sentBytes) / rate)} left`);
  }
  return words.join(" · ");
}
