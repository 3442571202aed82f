/**
 * The viewer's choices in the player, kept on this device for the next film. What is stored is checked value by value: it may come
 * from an older client, or from somebody's hand, and a wrong one costs that choice only.
 */

import { device } from "../browserStorage";
import { isCaptionLook, isCaptionSize, type CaptionLook, type CaptionSize } from "./captionLook";
import { isSound, type Sound } from "./media/sound";

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

export interface Preferences {
  /** 0 to 1. */
  volume: number;
  muted: boolean;
  /** One of `RATES`. */
  rate: number;
  /** Lines of the picture, such as 720; null: automatic. A film without such a rung gets the nearest (`nearestLines`). */
  quality: number | null;
  /** null: not chosen. */
  sound: Sound | null;
  /** BCP 47 language of the subtitles, `und` for a track without one; null: off. */
  subtitles: string | null;
  /** The chosen subtitles were those for viewers who hear badly. */
  subtitlesAccessible: boolean;
  /** BCP 47 language of the audio track; null: not chosen. */
  audio: string | null;
  /** The chosen audio track was one for viewers who see badly. */
  audioAccessible: boolean;
  captionSize: CaptionSize;
  captionLook: CaptionLook;
}

export const DEFAULTS: Preferences = {
  volume: 1,
  muted: false,
  rate: 1,
  quality: null,
  sound: null,
  subtitles: null,
  subtitlesAccessible: false,
  audio: null,
  audioAccessible: false,
  captionSize: "normal",
  captionLook: "shade",
};

const KEY = "marquee.player";

const isBoolean = (value: unknown) => typeof value === "boolean";
const isLanguage = (value: unknown) => value === null || (typeof value === "string" && /^[A-Za-z0-9-]{1,35}$/.test(value));
const isLines = (value: unknown) => value === null || (Number.isInteger(value) && Number(value) > 0 && Number(value) < 20_000);

const VALID: { [K in keyof Preferences]: (value: unknown) => boolean } = {
  volume: (value) => typeof value === "number" && value >= 0 && value <= 1,
  muted: isBoolean,
  rate: (value) => RATES.some((rate) => rate === value),
  quality: isLines,
  sound: (value) => value === null || isSound(value),
  subtitles: isLanguage,
  subtitlesAccessible: isBoolean,
  audio: isLanguage,
  audioAccessible: isBoolean,
  captionSize: isCaptionSize,
  captionLook: isCaptionLook,
};

/** The stored text as preferences. Whatever is missing, unknown or out of range has its default. */
export function parsePreferences(text: string | null): Preferences {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? "{}");
  } catch {
    return DEFAULTS;
  }
  if (typeof kept !== "object" || kept === null) return DEFAULTS;
  const valid = Object.entries(kept).filter(([name, value]) => Object.hasOwn(VALID, name) && VALID[name as keyof Preferences](value));
  return { ...DEFAULTS, ...(Object.fromEntries(valid) as Partial<Preferences>) };
}

export const readPreferences = (): Preferences => parsePreferences(device.get(KEY));

export const keepPreferences = (change: Partial<Preferences>): void =>
  device.set(KEY, JSON.stringify({ ...readPreferences(), ...change }));
