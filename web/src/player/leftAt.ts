/** Where a film stopped in this tab without the platform knowing: the next opening in this tab goes on there. */

import { tab } from "../browserStorage";

const KEY = "marquee.left";

/** A viewer who leaves the player chooses where to begin next time. */
export const forgetPlace = (): void => tab.remove(KEY);

export function keepPlace(movieId: string, seconds: number): void {
  if (seconds > 0) tab.set(KEY, JSON.stringify({ movieId, seconds }));
}

/** The kept place of this film, once; null if there is none. */
export function takePlace(movieId: string): number | null {
  const kept = tab.get(KEY);
  tab.remove(KEY);
  if (kept === null) return null;
  try {
    const { movieId: of, seconds } = JSON.parse(kept) as { movieId?: unknown; seconds?: unknown };
    return of === movieId && typeof seconds === "number" && seconds > 0 ? seconds : null;
  } catch {
    return null;
  }
}
