/** A question before something that cannot be undone: a modal dialogue whose safe answer has the focus. Then the focus goes back. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  heading: string;
  children: ComponentChildren;
  yes: string;
  no: string;
  /** The answer "yes" is being carried out. */
  busy?: boolean;
  answer: (yes: boolean) => void;
}

export function Question({ heading, children, yes, no, busy = false, answer }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current!;
    const opener = document.activeElement as HTMLElement | null;
    shown.showModal();
    return () => {
      shown.close();
      opener?.focus(); // by itself it goes back only while the dialogue is still in the page
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class="question"
      aria-labelledby="question"
      onCancel={(event) => {
        event.preventDefault();
        answer(false);
      }}
    >
      <h2 id="question">{heading}</h2>
      {children}
      <div class="actions">
        <button class="button primary" autofocus onClick={() => answer(false)}>
          {no}
        </button>
        <button class="button quiet danger" disabled={busy} onClick={() => answer(true)}>
          {yes}
        </button>
      </div>
    </dialog>
  );
}
