/**
 * Opens a stream on a video element: by hls.js if the browser has Media Source Extensions, else by the browser's own HLS.
 * hls.js is a chunk of its own, loaded here.
 */

import type { Media, MediaOwner } from "./contract";
import { openHls } from "./hls";
import { openNative } from "./native";
import { UNPLAYABLE } from "./recovery";

export async function openMedia(
  video: HTMLVideoElement,
  url: string,
  startSeconds: number,
  owner: MediaOwner,
): Promise<Media> {
  const { default: Engine } = await import("hls.js");
  if (Engine.isSupported()) return openHls(Engine, video, url, startSeconds, owner);
  if (video.canPlayType("application/vnd.apple.mpegurl") !== "") return openNative(video, url, startSeconds, owner);
  throw new Error(UNPLAYABLE);
}
