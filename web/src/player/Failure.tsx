/** What the player says when a film stopped, waits, or goes on without something; and the button that can help. */

import { useCallback, useEffect, useState } from "preact/hooks";
import "../styles/failures.css";
import { Problem, asProblem } from "../api/problem";
import { HelpButton } from "../components/Trouble";
import { spokenWait } from "../domain/problems";
import type { Failure } from "./media/contract";

const NOTE_MS = 8000;
/** More than one segment, so that one that is missing is left out as a whole. */
const LEFT_OUT_SECONDS = 10;

export function failureOf(error: unknown): Failure {
  const { code, detail, help, retryAfterSeconds } = asProblem(error);
  return { code, words: detail, help, resumesInSeconds: retryAfterSeconds, place: false };
}

interface PanelProps {
  failure: Failure;
  /** Opens the film again where it stopped. It is also called by itself: after Retry-After, and once the device is online again. */
  again: (byItself: boolean) => void;
  /** Opens the film again so many seconds later in it. */
  leaveOut: (seconds: number) => void;
  back: () => void;
}

export function FailurePanel({ failure, again, leaveOut, back }: PanelProps) {
  const { words, help, resumesInSeconds } = failure;
  useEffect(() => {
    if (help !== "again") return;
    const byItself = () => again(true);
    window.addEventListener("online", byItself);
    const wait = resumesInSeconds === null ? null : Math.max(1, resumesInSeconds) * 1000 * (1 + Math.random() / 10);
    const timer = wait === null ? 0 : setTimeout(byItself, wait);
    return () => {
      window.removeEventListener("online", byItself);
      clearTimeout(timer);
    };
  }, [failure]);
  const problem = new Problem(0, "playback", words, help);
  return (
    <div class="player-failure" role="alert">
      <h2>The film stopped</h2>
      <p>{words}</p>
      {help === "again" && resumesInSeconds !== null && (
        <p>It is tried again by itself in {spokenWait(resumesInSeconds)}.</p>
      )}
      <div class="actions">
        <HelpButton problem={problem} again={() => again(false)} kind="primary" />
        {failure.place && (
          <button class="button glass" onClick={() => leaveOut(LEFT_OUT_SECONDS)}>
            Leave out {LEFT_OUT_SECONDS} seconds
          </button>
        )}
        {help !== "home" && (
          <button class="button glass" onClick={back}>
            Go back
          </button>
        )}
      </div>
    </div>
  );
}

/** Words under the spinner, when it turns for longer than usual. */
export function WaitingWords() {
  return (
    <p class="player-waits" role="status">
      This takes longer than usual. It is being tried again…
    </p>
  );
}

/** A sentence that is shown for a while: the film goes on, but without something. */
export function useNote(): [preact.ComponentChild, (words: string) => void] {
  const [note, setNote] = useState<{ words: string; at: number } | null>(null);
  useEffect(() => {
    if (note === null) return;
    const timer = setTimeout(() => setNote(null), NOTE_MS);
    return () => clearTimeout(timer);
  }, [note]);
  const show = useCallback((words: string) => setNote({ words, at: performance.now() }), []);
  const drawn = note && (
    <p class="player-note" role="status" data-testid="player-note">
      {note.words}
    </p>
  );
  return [drawn, show];
}
