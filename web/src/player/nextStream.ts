/**
 * The stream that a title's page has asked for is the one that the player opens: a slow line answers one request less after the
 * click. An answer is used once, within a minute, by the profile that asked.
 */

import { stream } from "../api/calls";
import type { Stream } from "../api/schema";
import { who } from "../api/session";

const FRESH_MS = 60_000;

interface Asked {
  movieId: string;
  profileId: string | null;
  at: number;
  answer: Promise<Stream>;
}

let asked: Asked | null = null;

const profile = () => who()?.profileId ?? null;

/** A new stream, kept for the player. It is not cancelled when the title's page closes: the player may be what comes next. */
export function askStream(movieId: string): Promise<Stream> {
  const answer = stream(movieId);
  asked = { movieId, profileId: profile(), at: performance.now(), answer };
  return answer;
}

/** The stream to play: the one that was asked for, or a new one. */
export function takeStream(movieId: string, signal?: AbortSignal): Promise<Stream> {
  const kept = asked;
  asked = null;
  const usable = kept?.movieId === movieId && kept.profileId === profile() && performance.now() - kept.at < FRESH_MS;
  if (kept === null || !usable) return stream(movieId, signal);
  return kept.answer.catch(() => stream(movieId, signal));
}
