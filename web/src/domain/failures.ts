/**
 * The rules of a film that does not go on: for each kind of failure what is tried, how often, and what the viewer is told when it
 * did not help. Pure: `player/media/recovery.ts` carries it out, `tests/web/test_player_failures.py` proves it in a browser.
 *
 * A viewer is told at the latest after 20 s in which the film stood still, unless it arrives, though slowly. While the film still plays from what is
 * loaded, nothing is told: it is tried on.
 */

import type { Help } from "./problems";

export type Kind =
  | "offline"
  | "refused"
  | "missing"
  | "busy"
  | "failing"
  | "unreachable"
  | "slow"
  | "damaged"
  | "undecodable"
  | "unsupported"
  | "stalled"
  | "stuck"
  | "sound"
  | "line";

/**
 * `resume`: the same address again. `renew`: a fresh address from the API, which may name another edge; what is loaded stays.
 * `reload`: a fresh address, and everything is loaded again. `mend`: a new decoder, H.264's if another codec failed. `none`: nothing helps.
 */
export type Action = "resume" | "renew" | "reload" | "mend" | "none";

export interface Rule {
  action: Action;
  /** How often in a row, without the film getting any further. */
  tries: number;
  words: string;
  help: Help;
  /** Only this place of the film is at fault: leaving out a few seconds helps. */
  place?: true;
}

export const RULES: Readonly<Record<Kind, Rule>> = {
  offline: {
    action: "none",
    tries: 0,
    words: "This device is offline. The film goes on by itself once it is connected again.",
    help: "again",
  },
  refused: {
    action: "renew",
    tries: 3,
    words: "The film's address was refused, and so was a new one. Try again in a moment.",
    help: "again",
  },
  missing: {
    action: "renew",
    tries: 2,
    words: "A part of this film cannot be found at the moment. Leave out a few seconds, or try again.",
    help: "again",
    place: true,
  },
  busy: { action: "resume", tries: 4, words: "Marquee has too much to do at the moment. Try again in a while.", help: "again" },
  failing: { action: "renew", tries: 4, words: "Marquee has a problem on its side. Try again in a moment.", help: "again" },
  unreachable: {
    action: "renew",
    tries: 4,
    words: "The film cannot be reached. Check the connection, then try again.",
    help: "again",
  },
  slow: { action: "renew", tries: 3, words: "The film's server did not answer in time. Try again in a moment.", help: "again" },
  damaged: {
    action: "reload",
    tries: 2,
    words:
      "A part of the film arrived damaged. If this network wants you to log in to it first, do that, then try again.",
    help: "again",
    place: true,
  },
  undecodable: {
    action: "mend",
    tries: 2,
    words: "This browser could not go on with the picture or the sound. Try again, leave out a few seconds, or use another browser.",
    help: "again",
    place: true,
  },
  unsupported: {
    action: "none",
    tries: 0,
    words: "This browser cannot play this film. A newer browser, or another one, may be able to.",
    help: "none",
  },
  stalled: {
    action: "reload",
    tries: 1,
    words: "Nothing of the film arrives any more. Check the connection, then try again.",
    help: "again",
  },
  stuck: { action: "reload", tries: 1, words: "The film does not go on by itself. Try again.", help: "again" },
  sound: {
    action: "renew",
    tries: 2,
    words: "The sound of this film cannot be loaded at the moment. Try again in a while.",
    help: "again",
  },
  line: {
    action: "none",
    tries: 0,
    words: "This connection is too slow for this film at the moment. Try again in a while.",
    help: "again",
  },
};

/** What is known of a request that failed. `status` 0: no answer. */
export interface Fault {
  status?: number | undefined;
  timedOut?: boolean;
  /** The answer came, and is not what it should be. */
  unreadable?: boolean;
}

export function kindOf({ status = 0, timedOut = false, unreadable = false }: Fault): Kind {
  if (unreadable) return "damaged";
  if (timedOut) return "slow";
  if (status === 401 || status === 403 || status === 410) return "refused";
  if (status === 408 || status === 425 || status === 429 || status === 503) return "busy";
  if (status >= 500) return "failing";
  if (status >= 400) return "missing";
  // Something between answered with a status that no edge has, such as a redirect to a login page.
  return status === 0 ? "unreachable" : "damaged";
}

/** A pause grows from half a second to eight. Half of it is random: viewers of a failed edge must not come back all at once. */
export function pauseSeconds(tried: number, retryAfter: number | null, chance: number = Math.random()): number {
  const own = Math.min(8, 0.5 * 2 ** tried) * (0.5 + chance / 2);
  // Retry-After is the least; up to a tenth more, and at most 2 s, spreads the viewers.
  return retryAfter === null || retryAfter <= 0 ? own : Math.max(own, retryAfter + Math.min(2, retryAfter / 10) * chance);
}

export interface Sight {
  /** Where the film is. */
  position: number;
  /** Changes whenever anything of the film arrives. */
  arrived: number;
  /** It ought to move: not paused, not ended. */
  wanted: boolean;
  /** What comes next is loaded. */
  ready: boolean;
}

export const TOLD_AFTER_SECONDS = 20;
export const SLOW_AFTER_SECONDS = 6;
/** Longer than the 8 s that a request may take to its first byte. */
const RELOAD_AFTER_SECONDS = 8.5;
/** Nothing has arrived for so long when the viewer is told: a slow line brings something every few seconds. */
const DRY_SECONDS = 10;
const STUCK_AFTER_SECONDS = 8;
const LINE_AFTER_SECONDS = 60;

/** What the watchdog says: nothing, words under the spinner, a failure that may be mended, or the end of its patience. */
export type Verdict = "moves" | "still" | "slow" | "stalled" | "stuck" | "told" | "line";

/** Watches whether the film gets on. Sampled about twice a second. */
export class Watchdog {
  private last: Pick<Sight, "position" | "arrived"> = { position: Number.NaN, arrived: 0 };
  private stillSeconds = 0;
  private drySeconds = 0;

  /** `seconds` since the last sample. A tab that slept samples late: more than 2 s count as 2. */
  sample(seconds: number, { position, arrived, wanted, ready }: Sight): Verdict {
    const passed = Math.min(2, Math.max(0, seconds));
    const moved = position !== this.last.position;
    const came = arrived !== this.last.arrived;
    this.last = { position, arrived };
    if (!wanted || moved) {
      this.stillSeconds = this.drySeconds = 0;
      return "moves";
    }
    this.stillSeconds += passed;
    this.drySeconds = came ? 0 : this.drySeconds + passed;
    if (this.stillSeconds >= LINE_AFTER_SECONDS) return "line";
    if (this.stillSeconds >= TOLD_AFTER_SECONDS && (ready || this.drySeconds >= DRY_SECONDS)) return "told";
    if (ready && this.stillSeconds >= STUCK_AFTER_SECONDS) return "stuck";
    if (this.drySeconds >= RELOAD_AFTER_SECONDS) return "stalled";
    return this.stillSeconds >= SLOW_AFTER_SECONDS ? "slow" : "still";
  }
}

/**
 * Counts what was tried without the film getting any further: `loadedTo` is how far it is loaded. Each segment that fails would
 * otherwise begin the count anew, and a film whose tenth segment is missing would be tried for ever.
 */
export class Tries {
  private made = 0;
  private furthest = Number.NEGATIVE_INFINITY;

  /** What is tried next and after which pause; null: enough was tried. */
  next(kind: Kind, loadedTo: number, retryAfter: number | null, chance: number = Math.random()): { action: Action; waitSeconds: number } | null {
    const { action, tries } = RULES[kind];
    if (this.made >= tries) return null;
    const waitSeconds = pauseSeconds(this.made, retryAfter, chance);
    this.made += 1;
    this.furthest = Math.max(this.furthest, loadedTo);
    // The second time neither the same address is trusted, nor the bytes that came from it.
    const second: Action = action === "resume" ? "renew" : action === "mend" ? "reload" : action;
    return { action: this.made > 1 ? second : action, waitSeconds };
  }

  get count(): number {
    return this.made;
  }

  gotTo(loadedTo: number): void {
    if (this.made > 0 && loadedTo > this.furthest + 0.3) this.reset();
  }

  /** The viewer sought another place, pressed play again, or is online again. */
  reset(): void {
    this.made = 0;
    this.furthest = Number.NEGATIVE_INFINITY;
  }
}
