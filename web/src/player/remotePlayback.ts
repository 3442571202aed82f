/**
 * Playing on another screen, by the browser's Remote Playback API or Safari's AirPlay picker.
 *
 * A receiver needs an address that it can fetch. A film by Media Source Extensions has none, so it cannot be cast, and the
 * browser is told so (`disableRemotePlayback`): it then offers no button either. Where hls.js uses a Managed Media Source
 * (Safari), the playlist's own address stands beside it as a second source, which AirPlay takes. The browser's own HLS can
 * always be cast.
 */

import type Hls from "hls.js";
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

type PickerVideo = HTMLVideoElement & { webkitShowPlaybackTargetPicker?: () => void };

const HLS_TYPE = "application/vnd.apple.mpegurl";
const AVAILABILITY = "webkitplaybacktargetavailabilitychanged";
const TARGET = "webkitcurrentplaybacktargetiswirelesschanged";

/**
 * Offers the playlist to AirPlay where hls.js lets the element have several sources, and else refuses remote playback. A Managed
 * Media Source opens only while remote playback is refused, so the second source follows once it is open. hls.js removes both.
 */
export function castBySource(Engine: typeof Hls, hls: Hls, video: HTMLVideoElement): void {
  hls.on(Engine.Events.MEDIA_ATTACHING, () => (video.disableRemotePlayback = true));
  hls.on(Engine.Events.MEDIA_ATTACHED, () => {
    if (hls.url === null || video.querySelector("source") === null) return;
    const source = document.createElement("source");
    source.type = HLS_TYPE;
    source.src = hls.url;
    video.append(source);
    video.disableRemotePlayback = false;
  });
}

export interface RemoteState {
  /** A screen can be reached: only then there is a button. */
  available: boolean;
  connected: boolean;
}

/** Follows what can be reached, until it is closed. Browsers without an API report nothing. */
export function watchRemote(video: HTMLVideoElement, changed: (state: RemoteState) => void): () => void {
  let state: RemoteState = { available: false, connected: false };
  let closed = false;
  const tell = (change: Partial<RemoteState>) => {
    if (closed) return;
    state = { ...state, ...change };
    changed(state);
  };
  const picker = (video as PickerVideo).webkitShowPlaybackTargetPicker !== undefined;
  const onAvailability = (event: Event) => tell({ available: (event as Event & { availability?: string }).availability === "available" });
  const onTarget = () =>
    tell({ connected: (video as PickerVideo & { webkitCurrentPlaybackTargetIsWireless?: boolean }).webkitCurrentPlaybackTargetIsWireless ?? false });
  const { remote } = video as { remote?: RemotePlayback };
  const onState = () => tell({ connected: remote?.state === "connected" });
  const watch: { id: number | null } = { id: null };
  const stopWatching = () => {
    if (watch.id === null) return;
    remote?.cancelWatchAvailability(watch.id).catch(() => undefined);
    watch.id = null;
  };
  if (picker) {
    video.addEventListener(AVAILABILITY, onAvailability);
    video.addEventListener(TARGET, onTarget);
  } else if (remote !== undefined) {
    for (const event of ["connect", "disconnect"]) remote.addEventListener(event, onState);
    remote
      .watchAvailability((available) => tell({ available }))
      .then(
        (id) => {
          watch.id = id;
          if (closed) stopWatching();
        },
        // NotSupportedError: this browser or this film cannot. Nothing is offered then.
        () => tell({ available: false }),
      );
  }
  return () => {
    closed = true;
    stopWatching();
    video.removeEventListener(AVAILABILITY, onAvailability);
    video.removeEventListener(TARGET, onTarget);
    for (const event of ["connect", "disconnect"]) remote?.removeEventListener(event, onState);
  };
}

/** Opens the browser's list of screens. The promise ends with the choice; a viewer who closes the list has chosen nothing. */
export async function chooseScreen(video: HTMLVideoElement): Promise<void> {
  const { webkitShowPlaybackTargetPicker } = video as PickerVideo;
  if (webkitShowPlaybackTargetPicker !== undefined) return webkitShowPlaybackTargetPicker.call(video);
  await video.remote.prompt().catch(() => undefined);
}

/** `returned` is called when the film comes back from another screen: the stream has to be opened here again. */
export function useRemotePlayback(video: RefObject<HTMLVideoElement | null>, returned: () => void): RemoteState {
  const [state, setState] = useState<RemoteState>({ available: false, connected: false });
  const latest = useRef(returned);
  latest.current = returned;
  useEffect(() => {
    let connected = false;
    return watchRemote(video.current!, (now) => {
      if (connected && !now.connected) latest.current();
      ({ connected } = now);
      setState(now);
    });
  }, []);
  return state;
}
