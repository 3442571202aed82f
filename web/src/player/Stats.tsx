/** What a person needs who reports a fault of the playback: rung, codecs, rates, buffer, edge. Read twice a second while it is open. */

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Stream } from "../api/schema";
import { CloseIcon } from "../components/icons";
import type { Media } from "./media/contract";
import { statsRows, statsText } from "./stats";
import { bufferedTo } from "./useVideo";

const READ_EVERY_MS = 500;

interface Props {
  video: RefObject<HTMLVideoElement | null>;
  media: RefObject<Media | null>;
  stream: Stream;
  /** The viewer has chosen the quality. */
  chosen: boolean;
  close: () => void;
}

export function Stats({ video, media, stream, chosen, close }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDListElement>(null);
  const [copied, setCopied] = useState<string | null>(null);
  const [rows, setRows] = useState<[string, string][]>([]);
  const read = () => {
    const element = video.current;
    const facts = media.current?.facts();
    if (element === null || facts === undefined) return;
    const frames = element.getVideoPlaybackQuality?.();
    setRows(
      statsRows(facts, {
        title: stream.title,
        movieId: stream.movie_id,
        position: element.currentTime,
        bufferedTo: bufferedTo(element),
        rate: element.playbackRate,
        droppedFrames: frames?.droppedVideoFrames ?? null,
        totalFrames: frames?.totalVideoFrames ?? null,
        chosen,
      }),
    );
  };
  useEffect(() => {
    read();
    const timer = setInterval(read, READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [chosen]);
  useLayoutEffect(() => button.current?.focus({ preventScroll: true }), []);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(`${statsText(rows)}\nBrowser: ${navigator.userAgent}`);
      setCopied("Copied");
    } catch {
      // Without TLS, and where it is forbidden, there is no clipboard: the viewer copies the selected text.
      getSelection()?.selectAllChildren(list.current!);
      setCopied("Selected: copy it with the keyboard");
    }
  };
  return (
    <section
      class="stats"
      role="region"
      aria-labelledby="stats"
      data-testid="stats"
      onClick={(event) => event.stopPropagation()}
    >
      <header>
        <h2 id="stats">Statistics</h2>
        <button class="button" onClick={() => void copy()}>
          Copy
        </button>
        <button ref={button} class="icon-button" aria-label="Close statistics" onClick={close}>
          <CloseIcon />
        </button>
      </header>
      <dl ref={list}>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p role="status" class="stats-copied">
        {copied}
      </p>
    </section>
  );
}
