/** Full screen for the whole player. On iPhones only a video may be full screen, so there it is the video. */

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
      // The browser refused, for example inside a frame: the film continues at its present size.
    }
  }, []);
  return [fullscreen, toggle];
}
