/** The viewer's choices in the player, stored on this device for the next film. */

export interface Preferences {
  volume: number;
  muted: boolean;
  /** BCP 47 language of the subtitles; null: off. */
  subtitles: string | null;
  audio: string | null;
}

const KEY = "marquee.player";
const DEFAULTS: Preferences = { volume: 1, muted: false, subtitles: null, audio: null };

export function readPreferences(): Preferences {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { ...DEFAULTS, ...(kept as Partial<Preferences>) };
  } catch {
    return DEFAULTS;
  }
}

export function keepPreferences(change: Partial<Preferences>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...readPreferences(), ...change }));
  } catch {
    // Storage is full or forbidden: the choice applies to this film only.
  }
}
