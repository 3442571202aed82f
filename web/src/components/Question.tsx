/** A question before something that cannot be undone: a modal dialogue whose safe answer has the focus. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  heading: string;
  children: ComponentChildren;
  yes: string;
  no: string;
  answer: (yes: boolean) => void;
}

export function Question({ heading, children, yes, no, answer }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
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
        <button class="button quiet danger" onClick={() => answer(true)}>
          {yes}
        </button>
      </div>
    </dialog>
  );
}
