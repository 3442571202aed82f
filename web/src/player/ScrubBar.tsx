/** The film's time line: a slider with previews. The player handles its keys, so that they work everywhere in the player. */

import { useEffect, useRef, useState } from "preact/hooks";
import { clock, spokenTime } from "../domain/format";
import { readTiles, tileAt, type Tile } from "../domain/sprite";

interface Props {
  time: number;
  duration: number;
  buffered: number;
  spriteVttUrl: string | null;
  seek: (seconds: number) => void;
  /** A drag has begun or ended. */
  dragging: (dragging: boolean) => void;
}

const PREVIEW_WIDTH = 208;
/** Previews load when somebody points at the bar, or when so much film is buffered that they take no bandwidth from its start. */
const PREVIEWS_AFTER_SECONDS = 15;

export function ScrubBar({ time, duration, buffered, spriteVttUrl, seek, dragging }: Props) {
  const bar = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<number | null>(null);
  const [drag, setDrag] = useState<number | null>(null);
  const tiles = useTiles(spriteVttUrl, hover !== null || drag !== null || buffered - time >= PREVIEWS_AFTER_SECONDS);

  const shown = drag ?? time;
  const share = (seconds: number) => (duration > 0 ? Math.min(1, Math.max(0, seconds / duration)) : 0);
  const momentAt = (event: PointerEvent) => {
    const box = bar.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * duration;
  };
  const onDown = (event: PointerEvent) => {
    if (event.button !== 0 || duration <= 0) return;
    bar.current!.setPointerCapture(event.pointerId);
    setDrag(momentAt(event));
    dragging(true);
  };
  const onMove = (event: PointerEvent) => {
    const moment = momentAt(event);
    setHover(moment);
    if (drag !== null) setDrag(moment);
  };
  const onUp = (event: PointerEvent) => {
    if (drag === null) return;
    seek(momentAt(event));
    setDrag(null);
    dragging(false);
    if (event.pointerType !== "mouse") setHover(null);
  };
  const preview = drag ?? hover;

  return (
    <div
      ref={bar}
      class={`scrub ${drag !== null ? "dragging" : ""}`}
      role="slider"
      tabIndex={0}
      aria-label="Position"
      aria-valuemin={0}
      aria-valuemax={Math.round(duration)}
      aria-valuenow={Math.round(shown)}
      aria-valuetext={`${spokenTime(shown)} of ${spokenTime(duration)}`}
      style={{ "--played": `${share(shown) * 100}%`, "--buffered": `${share(buffered) * 100}%` }}
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={() => {
        setDrag(null);
        dragging(false);
      }}
      onPointerLeave={() => setHover(null)}
      data-testid="scrub"
    >
      <div class="scrub-track">
        <i class="scrub-buffered" />
        {hover !== null && <i class="scrub-hover" style={{ width: `${share(hover) * 100}%` }} />}
        <i class="scrub-played" />
      </div>
      <i class="scrub-knob" />
      {preview !== null && <Preview moment={preview} share={share(preview)} tile={tileAt(tiles, preview)} />}
    </div>
  );
}

function Preview({ moment, share, tile }: { moment: number; share: number; tile: Tile | undefined }) {
  const scale = tile === undefined ? 1 : Math.min(PREVIEW_WIDTH / tile.width, (PREVIEW_WIDTH * 0.75) / tile.height);
  return (
    <div class="preview" style={{ "--share": String(share) }} aria-hidden="true" data-testid="preview">
      {tile !== undefined && (
        <div class="preview-frame" style={{ width: `${tile.width * scale}px`, height: `${tile.height * scale}px` }}>
          <div
            class="preview-tile"
            style={{
              width: `${tile.width}px`,
              height: `${tile.height}px`,
              transform: `scale(${scale})`,
              backgroundImage: `url("${tile.url}")`,
              backgroundPosition: `-${tile.x}px -${tile.y}px`,
            }}
          />
        </div>
      )}
      <span>{clock(moment)}</span>
    </div>
  );
}

function useTiles(url: string | null, wantedNow: boolean): Tile[] {
  const [tiles, setTiles] = useState<Tile[]>([]);
  const wanted = useRef(false);
  wanted.current ||= wantedNow;
  useEffect(() => {
    if (url === null || !wanted.current) return;
    const controller = new AbortController();
    fetch(url, { signal: controller.signal })
      .then((response) => (response.ok ? response.text() : ""))
      .then((text) => {
        const read = readTiles(text, url);
        setTiles(read);
        for (const picture of new Set(read.map((tile) => tile.url))) new Image().src = picture;
      })
      .catch(() => undefined); // on failure the bar works without previews
    return () => controller.abort();
  }, [url, wanted.current]);
  return tiles;
}
