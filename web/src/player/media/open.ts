/**
 * Opens a stream on a video element: by hls.js if the browser has Media Source Extensions, else by the browser's own HLS.
 * hls.js is a chunk of its own. It loads together with the player's code, which a title's page loads in advance.
 */

import type Hls from "hls.js";
import { ownProblem } from "../../api/problem";
import { withinLimit } from "../../domain/limit";
import type { Media, MediaOwner } from "./contract";
import { openHls } from "./hls";
import { openNative } from "./native";

const load = async (): Promise<typeof Hls> => (await import("hls.js")).default;
let engine = load();
engine.catch(() => undefined); // a film that is opened tries again, and tells the viewer

/** 130 kB: a line that needs longer cannot play a film. */
const SCRIPT_LIMIT_MS = 20_000;

/** Throws `Problem` if hls.js cannot be loaded, or if this browser can play no HLS at all. */
export async function openMedia(
  video: HTMLVideoElement,
  url: string,
  startSeconds: number,
  owner: MediaOwner,
): Promise<Media> {
  engine = engine.catch(load);
  const Engine = await withinLimit(engine, SCRIPT_LIMIT_MS).catch(() => {
    throw ownProblem("player-missing");
  });
  if (Engine.isSupported()) return openHls(Engine, video, url, startSeconds, owner);
  if (video.canPlayType("application/vnd.apple.mpegurl") !== "") return openNative(video, url, startSeconds, owner);
  throw ownProblem("unplayable");
}
