/** Size and look of subtitles, in a dialog over the film. The choice holds at once: in the preview, and on the film behind it. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { CloseIcon } from "../components/icons";
import { CAPTION_LOOKS, LOOK_NAMES, SIZE_NAMES, type CaptionLook, type CaptionSize } from "./captionLook";

interface Props {
  size: CaptionSize;
  look: CaptionLook;
  choose: (change: { captionSize: CaptionSize } | { captionLook: CaptionLook }) => void;
  close: () => void;
}

export function CaptionLookDialog({ size, look, choose, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLInputElement>("input:checked")?.focus();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="player-dialog caption-look"
      aria-labelledby="caption-look"
      onClose={close}
      onClick={(event) => {
        event.stopPropagation();
        if (event.target === dialog.current) dialog.current?.close();
      }}
      onKeyDown={(event) => event.stopPropagation()}
      data-testid="caption-look"
    >
      <h2 id="caption-look">Subtitle size and look</h2>
      <button class="icon-button dialog-close" aria-label="Close" onClick={() => dialog.current?.close()}>
        <CloseIcon />
      </button>
      <div class="caption-preview" aria-hidden="true">
        <div class={`captions size-${size} look-${look}`} data-testid="caption-preview">
          <p>
            <span>Is it lit?</span>
          </p>
        </div>
      </div>
      <fieldset>
        <legend>Size</legend>
        {(Object.keys(SIZE_NAMES) as CaptionSize[]).map((one) => (
          <label key={one}>
            <input type="radio" name="caption-size" checked={one === size} onChange={() => choose({ captionSize: one })} />
            <span>{SIZE_NAMES[one]}</span>
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>Look</legend>
        {CAPTION_LOOKS.map((one) => (
          <label key={one}>
            <input type="radio" name="caption-look" checked={one === look} onChange={() => choose({ captionLook: one })} />
            <span>{LOOK_NAMES[one]}</span>
          </label>
        ))}
      </fieldset>
    </dialog>
  );
}
