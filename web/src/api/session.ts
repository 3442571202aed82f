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

import { RIGHTS } from "../domain/rules";
import { asProblem, problemFrom } from "./problem";
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
/** Refresh this long before the access token expires, so that it does not expire during a request. */
const EARLY_SECONDS = 20;

interface Claims {
  sub: string;
  profile: string;
  role: Who["role"];
  exp: number;
}

let access: string | null = null;
let claims: Claims | null = null;
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
  if (token === null) sessionStorage.removeItem(ACCESS_KEY);
  else sessionStorage.setItem(ACCESS_KEY, token);
}

/** Keep the answer to a login, a refresh or a change of profile. */
export function keepTokens(answer: TokenAnswer, email?: string): void {
  localStorage.setItem(SESSION_KEY, answer.session_id);
  localStorage.removeItem(OLD_TOKEN_KEY);
  if (email !== undefined) localStorage.setItem(EMAIL_KEY, email);
  adopt(answer.access_token);
  announce();
}

/** Forget the session in every tab. `logOut` in `calls.ts` also ends it on the platform, which removes the cookie. */
export function endSession(): void {
  localStorage.removeItem(SESSION_KEY);
  localStorage.removeItem(OLD_TOKEN_KEY);
  localStorage.removeItem(EMAIL_KEY);
  adopt(null);
  announce();
}

function mayHaveSession(): boolean {
  return localStorage.getItem(SESSION_KEY) !== null || localStorage.getItem(OLD_TOKEN_KEY) !== null;
}

export function who(): Who | null {
  if (claims === null) return null;
  return {
    accountId: claims.sub,
    profileId: claims.profile,
    role: claims.role,
    email: localStorage.getItem(EMAIL_KEY),
  };
}

export function mayUpload(who: Who | null): boolean {
  return who !== null && RIGHTS[who.role].includes("manage_titles");
}

/** The access token if it does not expire soon; null: refresh first. */
export function freshAccessToken(now: number = Date.now() / 1000): string | null {
  return access !== null && claims !== null && claims.exp - EARLY_SECONDS > now ? access : null;
}

/** The access token, expired or not, for a request that cannot wait for a refresh. */
export function anyAccessToken(): string | null {
  return access;
}

/** Start of the page: use the tab's own access token, else refresh. Returns whether a viewer is logged in. */
export async function restoreSession(): Promise<boolean> {
  const kept = sessionStorage.getItem(ACCESS_KEY);
  if (kept !== null && localStorage.getItem(SESSION_KEY) !== null) {
    adopt(kept);
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
  const oldToken = localStorage.getItem(OLD_TOKEN_KEY);
  if (oldToken !== null) body.refresh_token = oldToken;
  if (profileId !== null) body.profile_id = profileId;
  let response: Response;
  try {
    response = await fetch("/api/v1/sessions/refresh", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      keepalive: true,
    });
  } catch (error) {
    throw asProblem(error);
  }
  if (response.ok) {
    keepTokens((await response.json()) as TokenAnswer);
    return true;
  }
  // Any other refusal says nothing about the session: a limit, an outage, a page that was opened at another address.
  if (response.status !== 401) throw problemFrom(response.status, await response.json().catch(() => null));
  endSession();
  return false;
}

/** Another tab logged out, or logged in as another account: this tab follows. */
export function followOtherTabs(): void {
  window.addEventListener("storage", (event) => {
    if (event.key !== SESSION_KEY) return;
    if (event.newValue === null) {
      adopt(null);
      announce();
    } else if (access === null) {
      void refreshSession().catch(() => undefined); // on failure this tab shows the login page
    }
  });
}

