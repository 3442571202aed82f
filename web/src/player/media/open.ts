/**
 * Opens a stream on a video element: by hls.js if the browser has Media Source Extensions, else by the browser's own HLS.
 * hls.js is a chunk of its own. It loads together with the player's code, which a title's page loads in advance.
 */

import type Hls from "hls.js";
import type { Media, MediaOwner } from "./contract";
import { openHls } from "./hls";
import { openNative } from "./native";
import { UNPLAYABLE } from "./recovery";

const load = async (): Promise<typeof Hls> => (await import("hls.js")).default;
let engine = load();
engine.catch(() => undefined); // a film that is opened tries again, and tells the viewer

export async function openMedia(
  video: HTMLVideoElement,
  url: string,
  startSeconds: number,
  owner: MediaOwner,
): Promise<Media> {
  engine = engine.catch(load);
  const Engine = await engine;
  if (Engine.isSupported()) return openHls(Engine, video, url, startSeconds, owner);
  if (video.canPlayType("application/vnd.apple.mpegurl") !== "") return openNative(video, url, startSeconds, owner);
  throw new Error(UNPLAYABLE);
}
