/** The one way to the API: JSON in and out, the access token, one refresh on 401, problems as exceptions. */

import { Problem, asProblem, isAbort, problemFrom } from "./problem";
import { anyAccessToken, endSession, freshAccessToken, refreshSession } from "./session";

export const API = "/api/v1";

export interface RequestOptions {
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** The request carries no token: login, refresh, new account. */
  anonymous?: boolean;
  /** Sent while the page closes: the token is not refreshed, and the request outlives the page. */
  leaving?: boolean;
}

/** Throws `Problem`; an aborted request throws AbortError. */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const { anonymous = false, leaving = false } = options;
  let token: string | null = null;
  if (!anonymous) {
    token = leaving ? anyAccessToken() : freshAccessToken();
    if (token === null && !leaving) {
      await mustRefresh();
      token = anyAccessToken();
    }
  }
  let response = await send(method, path, token, options);
  if (response.status === 401 && !anonymous && !leaving) {
    await mustRefresh();
    response = await send(method, path, anyAccessToken(), options);
    if (response.status === 401) endSession();
  }
  if (response.status === 204 || response.status === 205) return undefined as T;
  const body: unknown = await response.json().catch((error: unknown) => {
    if (isAbort(error)) throw error;
    return null;
  });
  if (!response.ok) throw problemFrom(response.status, body);
  return body as T;
}

async function mustRefresh(): Promise<void> {
  if (!(await refreshSession())) throw new Problem(401, "not-authenticated", "Log in first.");
}

async function send(method: string, path: string, token: string | null, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (token !== null) headers["Authorization"] = `Bearer ${token}`;
  try {
    return await fetch(API + path, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
      keepalive: options.leaving ?? false,
      cache: "no-store",
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw asProblem(error);
  }
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
