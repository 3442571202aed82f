/** Removing a title from a list: a cross on its card, and a message with "Undo" that stays for some seconds. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { undoRemoval } from "../api/calls";
import { asProblem } from "../api/problem";
import { CloseIcon } from "./icons";

/** Long enough to read the message and to reach the button by keyboard. It waits while the pointer or the focus is on it. */
const SHOWN_MS = 10_000;

export function RemoveButton({ name, remove }: { name: string; remove: () => void }) {
  return (
    <button
      type="button"
      class="card-remove"
      aria-label={name}
      title={name}
      data-testid="remove"
      onClick={(event) => {
        // The focus goes to the neighbour's card: this one is about to leave.
        const item = event.currentTarget.closest("li");
        const next = item?.nextElementSibling ?? item?.previousElementSibling;
        remove();
        next?.querySelector<HTMLElement>("a")?.focus({ preventScroll: true });
      }}
    >
      <CloseIcon />
    </button>
  );
}

interface Message {
  words: string;
  /** What "Undo" does; null where nothing can be undone. */
  back: (() => Promise<void>) | null;
}

export interface Removal {
  message: Message | null;
  /** Take the title off the page at once, ask the platform, and put it back if it refuses or if the viewer undoes it. */
  remove: (title: string, from: string, ask: () => Promise<string>, takeOff: () => void, putBack: () => void) => void;
  say: (words: string) => void;
  dismiss: () => void;
}

export function useRemoval(): Removal {
  const [message, setMessage] = useState<Message | null>(null);
  const remove = useCallback<Removal["remove"]>((title, from, ask, takeOff, putBack) => {
    takeOff();
    const asked = ask();
    setMessage({
      words: `“${title}” was removed from ${from}.`,
      back: async () => {
        await undoRemoval(await asked);
        putBack();
      },
    });
    asked.catch((error: unknown) => {
      putBack();
      setMessage({ words: `“${title}” is still there. ${asProblem(error).detail}`, back: null });
    });
  }, []);
  return {
    message,
    remove,
    say: useCallback((words: string) => setMessage({ words, back: null }), []),
    dismiss: useCallback(() => setMessage(null), []),
  };
}

/** The message. It is in the page all the time, so that screen readers read what appears in it. */
export function RemovalMessage({ removal }: { removal: Removal }) {
  const { message, say, dismiss } = removal;
  const [held, setHeld] = useState(false);
  const busy = useRef(false);
  useEffect(() => {
    if (message === null || held) return;
    const timer = setTimeout(dismiss, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [message, held]);
  return (
    <div
      class="removal"
      role="status"
      data-testid="removal"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocusCapture={() => setHeld(true)}
      onBlurCapture={() => setHeld(false)}
    >
      {message !== null && (
        <div class="removal-words">
          <span dir="auto">{message.words}</span>
          {message.back !== null && (
            <button
              class="button quiet"
              onClick={() => {
                if (busy.current) return;
                busy.current = true;
                message
                  .back?.()
                  .then(dismiss, (error: unknown) => say(asProblem(error).detail))
                  .finally(() => {
                    busy.current = false;
                    setHeld(false);
                  });
              }}
            >
              Undo
            </button>
          )}
        </div>
      )}
    </div>
  );
}
