/** Full screen for the whole player; on iPhones, where only a video may, for the video. */

import type { RefObject } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

type PhoneVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

export function useFullscreen(
  root: RefObject<HTMLElement | null>,
  video: RefObject<HTMLVideoElement | null>,
): [boolean, () => Promise<void>] {
  const [fullscreen, setFullscreen] = useState(false);
  useEffect(() => {
    const read = () => setFullscreen(document.fullscreenElement !== null);
    document.addEventListener("fullscreenchange", read);
    return () => {
      document.removeEventListener("fullscreenchange", read);
      if (document.fullscreenElement !== null) void document.exitFullscreen().catch(() => undefined);
    };
  }, []);
  const toggle = useCallback(async () => {
    try {
      if (document.fullscreenElement !== null) await document.exitFullscreen();
      else if (root.current?.requestFullscreen !== undefined) await root.current.requestFullscreen();
      else (video.current as PhoneVideo | null)?.webkitEnterFullscreen?.();
    } catch {
      // Refused by the browser, in a frame for example: the film goes on as it is.
    }
  }, []);
  return [fullscreen, toggle];
}
