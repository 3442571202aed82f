/** The one way to the API: JSON in and out, the access token, one refresh on 401, a time limit, problems as exceptions. */

import { wordsFor } from "../domain/problems";
import { ask, bodyOf, isLoggedOut, textOf, type Answer } from "./answer";
import { Problem } from "./problem";
import { anyAccessToken, endSession, freshAccessToken, refreshSession } from "./session";

export const API = "/api/v1";
/** The gateway gives up after 30 s at most, so a later answer would not come from the platform. */
const LIMIT_MS = 35_000;

export interface RequestOptions {
  body?: unknown;
  signal?: AbortSignal | undefined;
  accept?: string;
  /** The request carries no token: login, refresh, new account. */
  anonymous?: boolean;
  /** Sent while the page closes: the token is not refreshed, and the request outlives the page. */
  leaving?: boolean;
  /** How long the answer may take, its body too. */
  limitMs?: number;
}

/** Throws `Problem`; an aborted request throws AbortError. */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  return bodyOf<T>(await answerTo(method, path, options));
}

/** A report as CSV. Throws as `request` does. */
export async function requestCsv(path: string): Promise<string> {
  return textOf(await answerTo("GET", path, { accept: "text/csv" }), "text/csv");
}

async function answerTo(method: string, path: string, options: RequestOptions): Promise<Answer> {
  const { anonymous = false, leaving = false } = options;
  let token: string | null = null;
  if (!anonymous) {
    token = leaving ? anyAccessToken() : freshAccessToken();
    if (token === null && !leaving) {
      await mustRefresh();
      token = anyAccessToken();
    }
  }
  let answer = await send(method, path, token, options);
  if (isLoggedOut(answer) && !anonymous && !leaving) {
    await mustRefresh();
    answer = await send(method, path, anyAccessToken(), options);
    if (isLoggedOut(answer)) endSession(true);
  }
  return answer;
}

async function mustRefresh(): Promise<void> {
  if (await refreshSession()) return;
  const { words, help } = wordsFor(401, "not-authenticated");
  throw new Problem(401, "not-authenticated", words, help);
}

async function send(method: string, path: string, token: string | null, options: RequestOptions): Promise<Answer> {
  const headers: Record<string, string> = { Accept: options.accept ?? "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (token !== null) headers["Authorization"] = `Bearer ${token}`;
  return ask(API + path, options.limitMs ?? LIMIT_MS, options.signal, {
    method,
    headers,
    body: options.body === undefined ? null : JSON.stringify(options.body),
    keepalive: options.leaving ?? false,
    cache: "no-store",
  });
}

/** `/search?q=leo&limit=10`: empty and absent values are left out. */
export function withQuery(path: string, query: Record<string, string | number | null | undefined>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}
