/**
 * What is done on each error of hls.js. If a stream URL has expired or an edge is down, it gets a fresh URL from the API and
 * continues at the same position. It recovers a decoder error in place, at most twice. Anything else is told to the viewer.
 */

import type Hls from "hls.js";
import type { ErrorData } from "hls.js";
import type { MediaOwner } from "./contract";

export const LOST = "The film cannot be loaded at the moment. Check the connection and try again.";
export const UNPLAYABLE = "This browser cannot play this film.";
/** A new stream URL is requested at most this often. An error in between is shown, and the viewer may retry. */
const RENEW_EVERY_MS = 15_000;

export interface Recovery {
  close(): void;
}

/** `restarting` is called before a fresh URL is loaded: what belongs to the old one is dropped then. */
export function recoverHls(
  Engine: typeof Hls,
  hls: Hls,
  video: HTMLVideoElement,
  owner: MediaOwner,
  restarting: () => void,
): Recovery {
  const { Events, ErrorTypes } = Engine;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let mediaErrors = 0;
  let closed = false;

  const renew = async () => {
    if (performance.now() - renewedAt < RENEW_EVERY_MS) {
      hls.stopLoad();
      owner.failed(LOST);
      return;
    }
    renewedAt = performance.now();
    try {
      const fresh = await owner.renew();
      if (closed) return;
      const { audioTrack } = hls;
      const position = owner.position();
      const wasPlaying = !video.paused;
      hls.config.startPosition = position;
      hls.once(Events.MANIFEST_PARSED, () => {
        hls.startLoad(position);
        if (audioTrack >= 0) hls.audioTrack = audioTrack;
        if (wasPlaying) void video.play().catch(() => undefined);
      });
      restarting();
      hls.loadSource(fresh);
    } catch (error) {
      if (!closed) owner.failed(error instanceof Error ? error.message : LOST);
    }
  };

  hls.on(Events.ERROR, (_event, data: ErrorData) => {
    const status = data.response?.code;
    const refused = status === 403 || status === 410;
    if (data.type === ErrorTypes.NETWORK_ERROR && (data.fatal || refused)) {
      if (refused && performance.now() - renewedAt < 2000) return; // late answers to requests from before the URL changed
      void renew();
    } else if (data.fatal && data.type === ErrorTypes.MEDIA_ERROR && mediaErrors < 2) {
      mediaErrors += 1;
      hls.recoverMediaError();
    } else if (data.fatal) {
      owner.failed(UNPLAYABLE);
    }
  });
  return {
    close() {
      closed = true;
    },
  };
}
