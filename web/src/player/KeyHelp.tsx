/** The list of keys, in a dialog over the film. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { CloseIcon } from "../components/icons";
import { KEY_HELP } from "./keys";

export function KeyHelp({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="player-dialog key-help"
      aria-labelledby="key-help"
      onClose={close}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "?") dialog.current?.close();
      }}
    >
      <h2 id="key-help">Keys</h2>
      <button class="icon-button dialog-close" aria-label="Close" onClick={() => dialog.current?.close()}>
        <CloseIcon />
      </button>
      <dl>
        {KEY_HELP.map(([keys, words]) => (
          <div key={words}>
            <dt>
              {keys.map((key) => (key === "–" ? <span key={key}>–</span> : <kbd key={key}>{key}</kbd>))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
