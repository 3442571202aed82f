/**
 * Who is logged in. Owns the tokens.
 *
 * The refresh token is in a cookie that no script sees (HttpOnly); the browser sends it to the platform's sessions only. What
 * localStorage holds is the session's id: it says that there is a session, and a change of it tells the other tabs. Tabs share
 * the cookie. One refresh runs at a time, by one promise in a tab and a Web Lock between tabs; where two run after all, both get
 * the same successor. The access token is in memory, with a copy in the tab's sessionStorage, so that a reload needs no refresh.
 *
 * Release 0.1.0 kept the refresh token itself in localStorage. The first refresh moves it into the cookie and removes it.
 */

import { device, tab } from "../browserStorage";
import { RIGHTS } from "../domain/rules";
import { ask, bodyOf, isLoggedOut } from "./answer";
import { ownProblem } from "./problem";
import type { AccountOut, Refresh, SessionOut } from "./schema";

export type TokenAnswer = Pick<SessionOut, "access_token" | "session_id">;

export interface Who {
  accountId: string;
  profileId: string;
  role: AccountOut["role"];
  email: string | null;
}

const SESSION_KEY = "marquee.session";
/** Where 0.1.0 kept its refresh token. */
const OLD_TOKEN_KEY = "marquee.refresh";
const ACCESS_KEY = "marquee.access";
const EMAIL_KEY = "marquee.email";
/** Seconds that the platform's clock is ahead of this device's. A device's clock may be wrong by hours. */
const AHEAD_KEY = "marquee.ahead";
/** Why the session ended, for the login page: only where the platform ended it, not where the viewer logged out. */
const ENDED_KEY = "marquee.ended";
/** Refresh this long before the access token expires, so that it does not expire during a request. */
const EARLY_SECONDS = 20;
/** The answer comes within milliseconds, or something is wrong. */
const LIMIT_MS = 20_000;

interface Claims {
  sub: string;
  profile: string;
  role: Who["role"];
  /** Unix seconds by the platform's clock. */
  iat?: number;
  exp: number;
}

let access: string | null = null;
let claims: Claims | null = null;
let aheadSeconds = 0;
let refreshing: Promise<boolean> | null = null;
const listeners = new Set<() => void>();

export function readClaims(token: string): Claims | null {
  try {
    const payload = token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
    const read: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0))));
    return typeof read === "object" && read !== null && "sub" in read && "exp" in read ? (read as Claims) : null;
  } catch {
    return null;
  }
}

function announce(): void {
  for (const listener of listeners) listener();
}

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function adopt(token: string | null): void {
  access = token;
  claims = token === null ? null : readClaims(token);
  if (token === null) tab.remove(ACCESS_KEY);
  else tab.set(ACCESS_KEY, token);
}

/** Keep the answer to a login, a refresh or a change of profile. */
export function keepTokens(answer: TokenAnswer, email?: string): void {
  device.set(SESSION_KEY, answer.session_id);
  device.remove(OLD_TOKEN_KEY);
  if (email !== undefined) device.set(EMAIL_KEY, email);
  tab.remove(ENDED_KEY);
  adopt(answer.access_token);
  aheadSeconds = claims?.iat === undefined ? 0 : claims.iat - Date.now() / 1000;
  tab.set(AHEAD_KEY, String(aheadSeconds));
  announce();
}

/**
 * Forget the session in every tab. `logOut` in `calls.ts` also ends it on the platform, which removes the cookie. `lost`: the
 * platform ended it, so the login page says that.
 */
export function endSession(lost = false): void {
  if (lost) tab.set(ENDED_KEY, "lost");
  device.remove(SESSION_KEY);
  device.remove(OLD_TOKEN_KEY);
  device.remove(EMAIL_KEY);
  adopt(null);
  announce();
}

/** Whether the platform ended this tab's session, so that the login page can say why it is shown. */
export function wasLoggedOut(): boolean {
  return tab.get(ENDED_KEY) !== null;
}

function mayHaveSession(): boolean {
  return device.get(SESSION_KEY) !== null || device.get(OLD_TOKEN_KEY) !== null;
}

export function who(): Who | null {
  if (claims === null) return null;
  return {
    accountId: claims.sub,
    profileId: claims.profile,
    role: claims.role,
    email: device.get(EMAIL_KEY),
  };
}

export function mayUpload(who: Who | null): boolean {
  return who !== null && RIGHTS[who.role].includes("manage_titles");
}

export function maySeeReports(who: Who | null): boolean {
  return who !== null && RIGHTS[who.role].includes("see_reports");
}

/** The access token if it does not expire soon; null: refresh first. */
export function freshAccessToken(now: number = Date.now() / 1000 + aheadSeconds): string | null {
  return access !== null && claims !== null && claims.exp - EARLY_SECONDS > now ? access : null;
}

/** The access token, expired or not, for a request that cannot wait for a refresh. */
export function anyAccessToken(): string | null {
  return access;
}

/** Start of the page: use the tab's own access token, else refresh. Returns whether a viewer is logged in. */
export async function restoreSession(): Promise<boolean> {
  const kept = tab.get(ACCESS_KEY);
  if (kept !== null && device.get(SESSION_KEY) !== null) {
    adopt(kept);
    aheadSeconds = Number(tab.get(AHEAD_KEY)) || 0;
    if (freshAccessToken() !== null) return true;
  }
  return refreshSession();
}

/** Get a new access token; one refresh runs at a time. False: no viewer is logged in. Throws `Problem` without an answer. */
export function refreshSession(): Promise<boolean> {
  refreshing ??= locked(() => rotate(null)).finally(() => (refreshing = null));
  return refreshing;
}

/** Get a new access token for another profile of the account. */
export async function changeSessionProfile(profileId: string): Promise<boolean> {
  await refreshing?.catch(() => false);
  refreshing = locked(() => rotate(profileId)).finally(() => (refreshing = null));
  return refreshing;
}

async function locked(work: () => Promise<boolean>): Promise<boolean> {
  return "locks" in navigator ? await navigator.locks.request("marquee.refresh", work) : work();
}

async function rotate(profileId: string | null): Promise<boolean> {
  if (!mayHaveSession()) {
    if (access !== null) endSession();
    return false;
  }
  const body: Refresh = { transport: "cookie" };
  const oldToken = device.get(OLD_TOKEN_KEY);
  if (oldToken !== null) body.refresh_token = oldToken;
  if (profileId !== null) body.profile_id = profileId;
  const answer = await ask("/api/v1/sessions/refresh", LIMIT_MS, undefined, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    keepalive: true,
  });
  // Any other refusal says nothing about the session: a limit, an outage, a proxy, a page that was opened at another address.
  if (isLoggedOut(answer)) {
    endSession(true);
    return false;
  }
  const tokens = bodyOf<Partial<TokenAnswer>>(answer);
  if (typeof tokens.access_token !== "string" || typeof tokens.session_id !== "string") throw ownProblem("foreign-answer");
  keepTokens(tokens as TokenAnswer);
  return true;
}

/** Another tab logged out, or logged in as another account: this tab follows. */
export function followOtherTabs(): void {
  const logOut = () => {
    adopt(null);
    announce();
  };
  const logIn = () => void refreshSession().catch(() => undefined); // on failure this tab shows the login page
  window.addEventListener("storage", (event) => {
    if (event.key !== SESSION_KEY) return;
    if (event.newValue === null) logOut();
    else if (access === null) logIn();
  });
  // A page in the browser's back/forward cache hears nothing of other tabs. When it is shown again, it looks.
  let left: string | null = null;
  window.addEventListener("pagehide", () => void (left = device.get(SESSION_KEY)));
  window.addEventListener("pageshow", ({ persisted }) => {
    const found = device.get(SESSION_KEY);
    if (!persisted || found === left) return;
    logOut();
    if (found !== null) logIn();
  });
}

