/**
 * The contract between the player and the stream of its video element: what the player may ask (`Media`), what it is told
 * (`Choices`, `MediaOwner.failed`), and what the stream needs from it (`MediaOwner`). `open.ts` opens a stream.
 */

export interface Choice {
  id: number;
  label: string;
  language: string | null;
}

export interface Choices {
  qualities: Choice[];
  /** -1: automatic. */
  quality: number;
  /** The quality that plays now, if the choice is automatic. */
  playing: string | null;
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
  audios: [],
  audio: -1,
  subtitles: [],
  subtitle: -1,
};

/** What the stream needs from the player. */
export interface MediaOwner {
  choices: (choices: Choices) => void;
  failed: (message: string) => void;
  /** The viewer's position, also while the element has nothing loaded. */
  position: () => number;
  /** Languages that the viewer chose earlier. Without a choice subtitles are off and audio is the film's default. */
  liked: { subtitles: string | null; audio: string | null };
  /** Get a fresh stream URL after the old one stopped working. */
  renew: () => Promise<string>;
}

export interface Media {
  chooseQuality(id: number): void;
  chooseAudio(id: number): void;
  chooseSubtitle(id: number): void;
  close(): void;
}
