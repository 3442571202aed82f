/**
 * The contract between the player and the stream of its video element: what the player may ask (`Media`), what it is told
 * (`Choices`, `MediaOwner.failed`, `note`, `waits`), and what the stream needs from it (`MediaOwner`). `open.ts` opens a stream.
 */

import type { Kind } from "../../domain/failures";
import type { Help } from "../../domain/problems";
import type { Preferences } from "../preferences";
import type { Sound } from "./sound";

export interface Choice {
  id: number;
  label: string;
  language: string | null;
  /** Made for viewers who hear or see badly. */
  accessible?: boolean;
}

export interface Quality extends Choice {
  /** The shorter side of the picture. */
  lines: number;
}

export interface Choices {
  qualities: Quality[];
  /** -1: automatic. */
  quality: number;
  /** The quality that plays now. */
  playing: string | null;
  /** Stereo, surround: two if the film has both. */
  sounds: { sound: Sound; label: string }[];
  sound: Sound;
  audios: Choice[];
  audio: number;
  subtitles: Choice[];
  /** -1: off. */
  subtitle: number;
}

export const NO_CHOICES: Choices = {
  qualities: [],
  quality: -1,
  playing: null,
  sounds: [],
  sound: "stereo",
  audios: [],
  audio: -1,
  subtitles: [],
  subtitle: -1,
};

export type Liked = Pick<
  Preferences,
  "quality" | "sound" | "subtitles" | "subtitlesAccessible" | "audio" | "audioAccessible"
>;

/** What the stream knows of itself, for the statistics. null: not known. */
export interface StreamFacts {
  /** `hls.js 1.7.4`. */
  engine: string;
  /** The rung that plays. */
  width: number | null;
  height: number | null;
  frameRate: number | null;
  codecs: string | null;
  /** Which of the film's codecs plays, and why. */
  codecChoice: string | null;
  bitsPerSecond: number | null;
  /** The measured bandwidth of the line. */
  estimateBitsPerSecond: number | null;
  /** The address of the edge or of the stream that the last segment came from. Only its host is shown. */
  url: string | null;
}

/** Why the film stopped, in words for the viewer, and what can help. */
export interface Failure {
  /** What the platform is told: a kind of `domain/failures.ts`, or the code of a problem. */
  code: string;
  words: string;
  help: Help;
  /** It is tried again by itself after so many seconds; null: only by the viewer, or once the device is online again. */
  resumesInSeconds: number | null;
  /** Only this place of the film is at fault: leaving out a few seconds helps. */
  place: boolean;
}

/** What the stream needs from the player. */
export interface MediaOwner {
  choices: (choices: Choices) => void;
  /** Something failed, and it is being tried to go on. */
  fault: (kind: Kind) => void;
  /** The picture that is on the screen from now on. `kbps` null: the browser does not say. */
  shown: (height: number, kbps: number | null) => void;
  /** The film has stopped. The stream does nothing more: the player opens it again. */
  failed: (failure: Failure) => void;
  /** The film goes on, but without something that the viewer chose. */
  note: (words: string) => void;
  /** Whether the film stands still for longer than usual, and it is being tried to go on. */
  waits: (waits: boolean) => void;
  /** The viewer's position, also while the element has nothing loaded. */
  position: () => number;
  /** What the viewer chose earlier. Without a choice subtitles are off and audio is the film's default. */
  liked: Liked;
  /** The playback session, for the edges' logs. */
  sessionId: string;
  /** Get a fresh stream URL after the old one stopped working. */
  renew: () => Promise<string>;
}

export interface Media {
  chooseQuality(id: number): void;
  chooseAudio(id: number): void;
  chooseSubtitle(id: number): void;
  facts(): StreamFacts;
  /** `hls.js/1.7.4`, `native`. */
  readonly engine: string;
  close(): void;
}
