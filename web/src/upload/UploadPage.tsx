/** Uploads, for content engineers: choose films, give their details, follow them until they play or are refused. */

import { useEffect, useRef, useState } from "preact/hooks";
import "../styles/upload.css";
import { title as readTitle } from "../api/calls";
import { mayUpload, who } from "../api/session";
import { useLoaded, useTitle } from "../components/hooks";
import { UploadIcon } from "../components/icons";
import { Empty, Notice, Trouble } from "../components/Trouble";
import { bytes } from "../domain/format";
import { FollowedUpload } from "./FollowedUpload";
import { NewFilm } from "./NewFilm";
import { paths } from "../router";
import { forget, remembered } from "./remembered";

const VIDEO = "video/*,.mkv,.mov,.mp4,.m4v,.avi,.webm,.ts,.mpg,.mpeg,.flv,.wmv,.mxf,.ogv,.3gp,.m4a,.mp3,.flac,.ogg,.mka";

interface Chosen {
  id: number;
  file: File;
}

interface Replaced {
  movieId: string;
  title: string;
}

/** `replaces`: the title whose film is replaced; null: each film becomes a title of its own. */
export function UploadPage({ replaces }: { replaces: string | null }) {
  useTitle(replaces === null ? "Upload" : "Replace a film");
  const [replaced, again] = useLoaded<Replaced | null>(
    async (signal) =>
      replaces === null || !mayUpload(who()) ? null : { movieId: replaces, title: (await readTitle(replaces, signal)).title },
    [replaces],
  );
  const [chosen, setChosen] = useState<Chosen[]>([]);
  const [followed, setFollowed] = useState(remembered);
  const [over, setOver] = useState(false);
  const next = useRef(0);

  // Closing the page stops the transfer: ask first.
  const busy = useRef(new Set<number>());
  useEffect(() => {
    const onLeave = (event: BeforeUnloadEvent) => {
      if (busy.current.size > 0) event.preventDefault();
    };
    window.addEventListener("beforeunload", onLeave);
    return () => window.removeEventListener("beforeunload", onLeave);
  }, []);

  const take = (files: FileList | null | undefined) => {
    const films = [...(files ?? [])].slice(0, replaces === null ? undefined : 1).map((file) => ({ id: (next.current += 1), file }));
    setChosen((old) => [...films, ...old]);
  };

  if (!mayUpload(who())) {
    return (
      <Empty heading="Uploads are for content engineers">
        <p>This account can watch. Ask an operator for an engineer's account.</p>
      </Empty>
    );
  }
  if (replaced.state === "failed") return <Trouble problem={replaced.problem} again={again} />;
  if (replaced.state === "loading") return <div class="waiting-page" aria-busy="true" />;
  const target = replaced.value;
  const inProgress = new Set(chosen.map(({ file }) => `${file.name} ${file.size}`));
  const unfinished = followed.filter((one) => !one.arrived && !inProgress.has(`${one.fileName} ${one.sizeBytes}`));
  return (
    <div class="listing uploads">
      <h1>{target === null ? "Upload" : "Replace a film"}</h1>
      {target !== null && (
        <Notice kind="plain">
          <p>
            The film becomes a new version of <strong dir="auto">{target.title}</strong>. What plays now stays until the new
            version is ready.{" "}
            <a class="link" href={paths.upload}>
              Upload it as a title of its own
            </a>
          </p>
        </Notice>
      )}
      <label
        class={`drop ${over ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer?.files);
        }}
      >
        <input
          type="file"
          class="hidden-visually"
          accept={VIDEO}
          multiple={target === null}
          aria-label="Choose films"
          onChange={(event) => {
            take(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
        <UploadIcon />
        <strong>{target === null ? "Drop films here, or choose files" : "Drop the film here, or choose a file"}</strong>
        <span>Any format ffmpeg can read. The bytes go straight to the store, part by part, and can be resumed.</span>
      </label>

      {unfinished.map((one) => (
        <Notice kind="plain" key={one.uploadId}>
          <strong>{one.title} is unfinished.</strong> Choose {one.fileName} ({bytes(one.sizeBytes)}) again
          {(one.replaces ?? null) !== replaces && (
            <>
              {" "}
              <a class="link" href={one.replaces === undefined ? paths.upload : paths.replace(one.replaces)}>
                on its own page
              </a>
            </>
          )}{" "}
          and it goes on where it stopped.
        </Notice>
      ))}

      <ul class="films">
        {chosen.map(({ id, file }) => (
          <li key={id}>
            <NewFilm
              file={file}
              replaces={target}
              transferring={(yes) => void (yes ? busy.current.add(id) : busy.current.delete(id))}
              remove={() => {
                setChosen((old) => old.filter((one) => one.id !== id));
                setFollowed(remembered());
              }}
            />
          </li>
        ))}
        {followed.filter((one) => one.arrived).map((upload) => (
          <li key={upload.uploadId}>
            <FollowedUpload
              uploadId={upload.uploadId}
              title={upload.title}
              remove={() => {
                forget(upload.uploadId);
                setFollowed((old) => old.filter((one) => one.uploadId !== upload.uploadId));
              }}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}
