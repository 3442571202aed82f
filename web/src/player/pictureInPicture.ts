/**
 * Picture-in-picture: the film in a small window over other windows, by the standard API or by Safari's.
 *
 * The player draws subtitles into the page, not into the film, so the small window does not have them by itself. Safari draws
 * the film's own text tracks there (also in the full screen of iPhones), so they are shown natively meanwhile. Chromium draws
 * the picture alone: there the subtitles stay in the page, and the page says so.
 */

import type { RefObject } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

type SafariVideo = HTMLVideoElement & {
  webkitSupportsPresentationMode?: (mode: string) => boolean;
  webkitSetPresentationMode?: (mode: string) => void;
  webkitPresentationMode?: string;
};

export const NO_SMALL_WINDOW = "This browser has no picture-in-picture";
const NOT_LOADED = "The film is not loaded yet";
const REFUSED = "The browser refused picture-in-picture";
const EVENTS = [
  "enterpictureinpicture",
  "leavepictureinpicture",
  "webkitpresentationmodechanged",
  "webkitbeginfullscreen",
  "webkitendfullscreen",
] as const;

function isStandard(video: HTMLVideoElement): boolean {
  return document.pictureInPictureEnabled === true && typeof video.requestPictureInPicture === "function";
}

function isSafaris(video: SafariVideo): boolean {
  return video.webkitSupportsPresentationMode?.("picture-in-picture") === true && video.webkitSetPresentationMode !== undefined;
}

export interface SmallWindow {
  /** The browser has picture-in-picture. */
  can: boolean;
  open: boolean;
  /** The window shows the film's text tracks by itself; if not, subtitles are on the page alone. */
  nativeSubtitles: boolean;
  /** Opens or closes the window. Returns the sentence that tells why this is not possible, else null. */
  toggle: () => Promise<string | null>;
}

export function usePictureInPicture(video: RefObject<HTMLVideoElement | null>): SmallWindow {
  const [can, setCan] = useState(false);
  const [open, setOpen] = useState(false);
  const [nativeSubtitles, setNativeSubtitles] = useState(false);
  useEffect(() => {
    const element: SafariVideo = video.current!;
    setCan(isStandard(element) || isSafaris(element));
    let fullscreen = false;
    const read = (event: Event) => {
      if (event.type === "webkitbeginfullscreen") fullscreen = true;
      if (event.type === "webkitendfullscreen") fullscreen = false;
      const small = document.pictureInPictureElement === element || element.webkitPresentationMode === "picture-in-picture";
      const native = isSafaris(element) && (small || fullscreen);
      setOpen(small);
      setNativeSubtitles(native);
      for (const track of element.textTracks) if (track.mode !== "disabled") track.mode = native ? "showing" : "hidden";
    };
    for (const event of EVENTS) element.addEventListener(event, read);
    return () => {
      for (const event of EVENTS) element.removeEventListener(event, read);
      // A window without its page would play on, or stand still, without any control.
      if (document.pictureInPictureElement === element) void document.exitPictureInPicture().catch(() => undefined);
      else if (element.webkitPresentationMode === "picture-in-picture") element.webkitSetPresentationMode?.("inline");
    };
  }, []);
  const toggle = useCallback(async () => {
    const element: SafariVideo = video.current!;
    try {
      if (document.pictureInPictureElement === element) await document.exitPictureInPicture();
      else if (element.webkitPresentationMode === "picture-in-picture") element.webkitSetPresentationMode!("inline");
      else if (!isStandard(element) && !isSafaris(element)) return NO_SMALL_WINDOW;
      else if (element.readyState < HTMLMediaElement.HAVE_METADATA) return NOT_LOADED;
      else if (isStandard(element)) await element.requestPictureInPicture();
      else element.webkitSetPresentationMode!("picture-in-picture");
      return null;
    } catch {
      return REFUSED;
    }
  }, []);
  return { can, open, nativeSubtitles, toggle };
}
