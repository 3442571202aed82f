/** The player: one film, its controls and its keys. Reports the viewer's position through the progress reporter. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Stream } from "../api/schema";
import { who } from "../api/session";
import { BackIcon, HelpIcon, PauseIcon, PlayIcon, StatsIcon } from "../components/icons";
import { clock } from "../domain/format";
import type { ProgressReporter } from "../domain/progress";
import { CaptionLookDialog } from "./CaptionLook";
import { SIZE_NAMES, stepSize } from "./captionLook";
import { Captions } from "./Captions";
import { Controls, type OpenMenu } from "./Controls";
import { EndScreen } from "./EndScreen";
import { FailurePanel, WaitingWords, failureOf, useNote } from "./Failure";
import { KeyHelp } from "./KeyHelp";
import { useAwake, useLastPosition, usePaused, usePlayedOn, useSaid } from "./hooks";
import { actionFor } from "./keys";
import { forgetPlace, keepPlace } from "./leftAt";
import { UNKNOWN_LANGUAGE } from "./media/choices";
import { NO_CHOICES, type Choices, type Failure, type Media } from "./media/contract";
import { openMedia } from "./media/open";
import type { Sound } from "./media/sound";
import { useMediaSession } from "./mediaSession";
import { usePictureInPicture } from "./pictureInPicture";
import { keepPreferences, RATES, readPreferences, type Preferences } from "./preferences";
import { chooseScreen, useRemotePlayback } from "./remotePlayback";
import { Stats } from "./Stats";
import { useTelemetry } from "../telemetry/useTelemetry";
import { useFullscreen } from "./useFullscreen";
import { useProgress } from "./useProgress";
import { useVideo } from "./useVideo";

const MAX_RESUMPTIONS = 3;

interface Props {
  stream: Stream;
  startSeconds: number;
  /** When the viewer asked for the film, by the page's monotonic clock. */
  openedAt: number;
  /** Fresh addresses for the same viewing. The platform may answer with a new session where the old one is too old. */
  renew: (sessionId: string) => Promise<Stream>;
  reporter: ProgressReporter;
  back: () => void;
}

export function Player({ stream, startSeconds, openedAt, renew, reporter, back }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const element = useRef<HTMLVideoElement>(null);
  const media = useRef<Media | null>(null);
  const video = useVideo(element, stream.duration_seconds);
  const [choices, setChoices] = useState<Choices>(NO_CHOICES);
  /** How often in a row the film was opened again without the viewer, and without playing on. */
  const resumptions = useRef(0);
  const lasting = (told: Failure) => (resumptions.current < MAX_RESUMPTIONS ? told : { ...told, resumesInSeconds: null });
  const [failure, setFailure] = useState<Failure | null>(null);
  const [waits, setWaits] = useState(false);
  const [note, showNote] = useNote();
  const [attempt, setAttempt] = useState(0);
  const [menu, setMenu] = useState<OpenMenu>(null);
  const [panel, setPanel] = useState<"help" | "stats" | "caption-look" | null>(null);
  const [look, setLook] = useState(readPreferences);
  const [drag, setDrag] = useState(false);
  const [said, say] = useSaid();
  const [awake, wake, sleep] = useAwake();
  const [fullscreen, toggleFullscreen] = useFullscreen(root, element);
  useProgress(element, reporter);
  const position = useLastPosition(element, startSeconds);
  const [session, setSession] = useState({ stream, openedAt });
  const sessionId = useRef(stream.session_id);
  const telemetry = useTelemetry(element, session.stream, session.openedAt, position);
  const smallWindow = usePictureInPicture(element);
  const paused = usePaused(element);
  const lastSubtitle = useRef(-1);
  if (choices.subtitle >= 0) lastSubtitle.current = choices.subtitles.findIndex((one) => one.id === choices.subtitle);
  /** Opens the stream again at the same position, for a choice that needs another one. */
  const reopen = () => setAttempt((n) => n + 1);
  const screens = useRemotePlayback(element, reopen);

  const stop = (told: Failure) => {
    setFailure(told);
    telemetry.current?.failed(told.code, lasting(told).resumesInSeconds === null);
  };

  const freshUrl = async () => {
    const fresh = await renew(sessionId.current);
    if (fresh.session_id !== sessionId.current) {
      sessionId.current = fresh.session_id;
      setSession({ stream: fresh, openedAt: performance.now() });
    }
    return fresh.stream_url;
  };
  // A new session is told the engine that plays on.
  useEffect(() => {
    if (media.current !== null) telemetry.current?.plays(media.current.engine);
  }, [session]);

  // The stream is opened once, and again at the same position if the viewer retries after a failure.
  useEffect(() => {
    const target = element.current!;
    const liked = readPreferences();
    target.volume = liked.volume;
    target.muted = liked.muted;
    keepPitch(target);
    // Loading sets the speed back to the default one.
    target.defaultPlaybackRate = target.playbackRate = liked.rate;
    let closed = false;
    const url = attempt === 0 ? Promise.resolve(stream.stream_url) : freshUrl();
    url
      .then((address) =>
        openMedia(target, address, position.current, {
          liked,
          renew: freshUrl,
          position: () => position.current,
          sessionId: sessionId.current,
          fault: (kind) => !closed && telemetry.current?.failed(kind, false),
          shown: (height, kbps) => !closed && telemetry.current?.shown(height, kbps),
          failed: (told) => !closed && stop(told),
          note: (words) => !closed && showNote(words),
          waits: (yes) => !closed && setWaits(yes),
          choices: (now) => !closed && setChoices(now),
        }),
      )
      .then(
        (opened) => {
          if (closed) return opened.close();
          media.current = opened;
          telemetry.current?.plays(opened.engine);
          // Some browsers want a click first: the play button is visible.
          if (!paused.current) target.play().catch((error: unknown) => isRefused(error) && telemetry.current?.refusedToBegin());
        },
        (error: unknown) => !closed && stop(failureOf(error)),
      );
    return () => {
      closed = true;
      telemetry.current?.interrupt();
      media.current?.close();
      media.current = null;
    };
  }, [attempt]);

  const again = (byItself: boolean) => {
    resumptions.current = byItself ? resumptions.current + 1 : 0;
    if (!byItself) paused.current = false;
    setFailure(null);
    setWaits(false);
    setAttempt((n) => n + 1);
  };
  const leaveOut = (seconds: number) => {
    position.current = Math.min(position.current + seconds, stream.duration_seconds);
    again(false);
  };
  // A page that is loaded again, or a login, goes on at the same place, which the platform may not know.
  useEffect(() => {
    if (failure !== null) keepPlace(stream.movie_id, position.current);
  }, [failure]);
  // From here on the platform knows the place: the kept one would lead back to the failure.
  usePlayedOn(element, () => {
    resumptions.current = 0;
    forgetPlace();
  });
  useEffect(
    () => () => {
      if (who() === null) keepPlace(stream.movie_id, position.current);
      else forgetPlace();
    },
    [],
  );

  const seek = useCallback((seconds: number) => {
    const target = element.current!;
    const end = Number.isFinite(target.duration) ? target.duration : stream.duration_seconds;
    // A film that has ended is paused: sought to just before its end, it would stand there.
    if (target.ended && seconds >= end - 0.05) return;
    position.current = Math.min(Math.max(0, seconds), Math.max(0, end - 0.05));
    target.currentTime = position.current;
  }, []);
  const toggle = () => {
    const target = element.current!;
    if (target.ended) seek(0);
    if (target.paused) target.play().catch(() => undefined);
    else target.pause();
  };
  const skip = (seconds: number) => {
    seek(element.current!.currentTime + seconds);
    say(`${seconds > 0 ? "+" : "−"}${Math.abs(seconds)} s`);
  };
  const setVolume = (volume: number) => {
    const target = element.current!;
    target.volume = Math.min(1, Math.max(0, volume));
    target.muted = target.volume === 0;
    keepPreferences({ volume: target.volume || 1, muted: target.muted });
  };
  const mute = () => {
    const target = element.current!;
    if (target.volume === 0) setVolume(0.5);
    else target.muted = !target.muted;
    keepPreferences({ muted: target.muted });
    say(target.muted ? "Sound off" : "Sound on");
  };
  const setRate = (rate: number) => {
    const target = element.current!;
    target.defaultPlaybackRate = target.playbackRate = rate;
    keepPreferences({ rate });
    say(rate === 1 ? "Normal speed" : `${rate}×`);
  };
  const chooseSubtitle = (id: number) => {
    media.current?.chooseSubtitle(id);
    const track = choices.subtitles.find((one) => one.id === id);
    const language = track === undefined ? null : (track.language ?? UNKNOWN_LANGUAGE);
    keepPreferences({ subtitles: language, subtitlesAccessible: track?.accessible ?? false });
    say(track === undefined ? "Subtitles off" : `Subtitles: ${track.label}`);
  };
  const chooseAudio = (id: number) => {
    media.current?.chooseAudio(id);
    const track = choices.audios.find((one) => one.id === id);
    keepPreferences({ audio: track?.language ?? UNKNOWN_LANGUAGE, audioAccessible: track?.accessible ?? false });
  };
  const chooseQuality = (id: number) => {
    media.current?.chooseQuality(id);
    keepPreferences({ quality: choices.qualities.find((one) => one.id === id)?.lines ?? null });
  };
  const chooseSound = (sound: Sound) => {
    keepPreferences({ sound });
    if (sound !== choices.sound) reopen();
  };
  const toggleSubtitles = () => {
    if (choices.subtitles.length === 0) say("No subtitles");
    else chooseSubtitle(choices.subtitle >= 0 ? -1 : choices.subtitles[Math.max(0, lastSubtitle.current)]!.id);
  };
  const chooseLook = (change: Partial<Preferences>) => {
    keepPreferences(change);
    setLook((now) => ({ ...now, ...change }));
  };
  const toggleSmallWindow = async () => {
    const refusal = await smallWindow.toggle();
    if (refusal !== null) say(refusal);
  };
  const closeStats = () => {
    setPanel(null);
    // The focus returns to where Statistics is opened from, in sight on this screen.
    const openers = root.current!.querySelectorAll<HTMLElement>("[data-opens=stats], [data-menu=more] > button");
    [...openers].find((opener) => opener.offsetParent !== null)?.focus({ preventScroll: true });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    wake();
    const target = event.target as Element;
    if (event.defaultPrevented || isTypedIn(target)) return;
    const range = target instanceof HTMLInputElement;
    const action = actionFor(event, range || target.closest("button") !== null);
    if (action === null || (range && event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    switch (action.do) {
      case "toggle":
        return toggle();
      case "skip":
        return skip(action.seconds);
      case "volume":
        setVolume(element.current!.volume + action.by);
        return say(`Volume ${Math.round(element.current!.volume * 100)} %`);
      case "mute":
        return mute();
      case "fullscreen":
        return void toggleFullscreen();
      case "small-window":
        return void toggleSmallWindow();
      case "captions":
        return toggleSubtitles();
      case "caption-size": {
        const captionSize = stepSize(look.captionSize, action.by);
        chooseLook({ captionSize });
        return say(`Subtitles: ${SIZE_NAMES[captionSize].toLowerCase()}`);
      }
      case "stats":
        return panel === "stats" ? closeStats() : setPanel("stats");
      case "jump":
        seek(action.share * video.duration);
        return say(clock(action.share * video.duration));
      case "faster": {
        const at = RATES.findIndex((rate) => rate === video.rate);
        return setRate(RATES[Math.min(RATES.length - 1, Math.max(0, at + action.by))]!);
      }
      case "help":
        return setPanel("help");
      case "leave":
        if (panel === "stats") return closeStats();
        if (panel !== null) return setPanel(null);
        return fullscreen ? void toggleFullscreen() : back();
    }
  };
  // The newest handler at once: a key that follows fast finds the panel open that the one before has opened.
  const keyDown = useRef(onKeyDown);
  keyDown.current = onKeyDown;
  useEffect(() => {
    const listener = (event: KeyboardEvent) => keyDown.current(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
  useMediaSession(element, stream, {
    play: () => void element.current!.play().catch(() => undefined),
    pause: () => element.current!.pause(),
    stop: () => {
      element.current!.pause();
      back();
    },
    skip,
    seek,
  });

  const busy = video.waiting && failure === null && !(video.paused && video.started);
  const visible = awake || video.paused || menu !== null || drag || failure !== null;
  return (
    <div
      ref={root}
      class={`player ${visible ? "" : "quiet"}`}
      onClick={(event) => {
        // After a click the focus returns to the film, so that Space pauses it and does not press this button again.
        if (event.detail > 0 && menu === null) root.current?.closest("main")?.focus({ preventScroll: true });
      }}
      onPointerMove={(event) => event.pointerType === "mouse" && wake()}
      onPointerLeave={(event) => event.pointerType === "mouse" && sleep()}
      data-testid="player"
    >
      <video
        ref={element}
        playsInline
        crossOrigin="anonymous"
        preload="auto"
        aria-label={stream.title}
        onClick={() => (matchMedia("(pointer: coarse)").matches ? (visible ? sleep() : wake()) : toggle())}
        onDblClick={() => matchMedia("(pointer: fine)").matches && void toggleFullscreen()}
      />
      <Captions
        video={element}
        raised={visible}
        size={look.captionSize}
        look={look.captionLook}
        track={choices.subtitle}
        elsewhere={smallWindow.nativeSubtitles}
      />
      {smallWindow.open && choices.subtitle >= 0 && !smallWindow.nativeSubtitles && (
        <p class="small-window-note" role="status">
          This browser's small window shows the picture only: the subtitles stay here.
        </p>
      )}
      {busy && <div class="spinner player-spinner" role="status" aria-label="Loading" />}
      {busy && waits && <WaitingWords />}
      {note}
      {said !== null && (
        <div class="said" role="status" key={said.at}>
          {said.words}
        </div>
      )}
      {failure === null && <Pulse paused={video.paused} started={video.started} />}
      {failure !== null && <FailurePanel failure={lasting(failure)} again={again} leaveOut={leaveOut} back={back} />}
      <div class="player-top">
        <button class="icon-button" aria-label="Back" onClick={back}>
          <BackIcon />
        </button>
        <h1 dir="auto">{stream.title}</h1>
        <button
          class="icon-button where-wide"
          aria-label="Statistics"
          title="Statistics (I)"
          aria-pressed={panel === "stats"}
          onClick={() => (panel === "stats" ? closeStats() : setPanel("stats"))}
          data-opens="stats"
        >
          <StatsIcon />
        </button>
        <button class="icon-button keys-button" aria-label="Keys" title="Keys (?)" onClick={() => setPanel("help")}>
          <HelpIcon />
        </button>
      </div>
      <EndScreen
        movieId={stream.movie_id}
        share={video.duration > 0 ? video.time / video.duration : 0}
        ended={video.ended && failure === null && !drag}
        replay={toggle}
        back={back}
      />
      <Controls
        video={video}
        choices={choices}
        spriteVttUrl={stream.sprite_vtt_url}
        fullscreen={fullscreen}
        smallWindow={smallWindow}
        screens={screens}
        menu={menu}
        setMenu={setMenu}
        toggle={toggle}
        skip={skip}
        seek={seek}
        dragging={setDrag}
        setVolume={setVolume}
        mute={mute}
        setRate={setRate}
        toggleFullscreen={() => void toggleFullscreen()}
        chooseQuality={chooseQuality}
        chooseAudio={chooseAudio}
        chooseSound={chooseSound}
        chooseSubtitle={chooseSubtitle}
        toggleSmallWindow={() => void toggleSmallWindow()}
        chooseScreen={() => void chooseScreen(element.current!)}
        openCaptionLook={() => setPanel("caption-look")}
        openStats={() => setPanel("stats")}
      />
      {panel === "stats" && (
        <Stats video={element} media={media} stream={stream} chosen={choices.quality >= 0} close={closeStats} />
      )}
      {panel === "help" && <KeyHelp close={() => setPanel(null)} />}
      {panel === "caption-look" && (
        <CaptionLookDialog
          size={look.captionSize}
          look={look.captionLook}
          choose={chooseLook}
          close={() => setPanel(null)}
        />
      )}
    </div>
  );
}

/** The browser does not play before a press of the viewer. */
const isRefused = (error: unknown) => error instanceof DOMException && error.name === "NotAllowedError";

/** A field for text keeps its keys. */
function isTypedIn(target: Element): boolean {
  return target.closest("input:not([type=range]), textarea, select, [contenteditable]") !== null;
}

/** Faster or slower, voices keep their pitch. It is the default of new browsers only. */
function keepPitch(video: HTMLVideoElement & { webkitPreservesPitch?: boolean; mozPreservesPitch?: boolean }): void {
  video.preservesPitch = true;
  if ("webkitPreservesPitch" in video) video.webkitPreservesPitch = true;
  if ("mozPreservesPitch" in video) video.mozPreservesPitch = true;
}

/** A short sign in the middle when the film pauses or resumes. */
function Pulse({ paused, started }: { paused: boolean; started: boolean }) {
  const first = useRef(true);
  useEffect(() => {
    if (started) first.current = false;
  }, [paused, started]);
  if (!started || first.current) return null;
  return (
    <div class="pulse" key={String(paused)} aria-hidden="true">
      {paused ? <PauseIcon /> : <PlayIcon />}
    </div>
  );
}
