/**
 * One request and its whole answer, within a time limit. Tells the platform's answers from those of something in between: a
 * proxy's HTML page, or the login page of a network, which comes with any status, also with 200.
 */

import { asProblem, isAbort, ownProblem, problemFrom } from "./problem";

/** What came back: the status, and the body's JSON. `undefined`: the body is empty. `null`: it is not JSON. */
export interface Answer {
  status: number;
  body: unknown;
  retryAfter: string | null;
  /** The body as it came, and its kind. */
  text: string;
  kind: string;
}

/** Only the platform's own 401 says something about the session: a proxy in between has a 401 of its own. */
export function isLoggedOut({ status, body }: Answer): boolean {
  return status === 401 && typeof body === "object" && body !== null && "code" in body && typeof body.code === "string";
}

/** The JSON of a 2xx answer; throws `Problem` for any other answer, and where something else than the API answered. */
export function bodyOf<T>(answer: Answer): T {
  const { status, body } = answer;
  refuseOther(answer);
  if (status === 204 || status === 205) return undefined as T;
  if (typeof body !== "object" || body === null) throw ownProblem("foreign-answer");
  return body as T;
}

/** The text of a 2xx answer of this kind; throws as `bodyOf` does. */
export function textOf(answer: Answer, kind: string): string {
  refuseOther(answer);
  if (!answer.kind.startsWith(kind)) throw ownProblem("foreign-answer");
  return answer.text;
}

function refuseOther({ status, body, retryAfter }: Answer): void {
  if (status < 200 || status > 299) throw problemFrom(status, body, retryAfter);
}

/** One request with its body read, within the limit. Throws `Problem` without an answer, AbortError when stopped by `signal`. */
export async function ask(url: string, limitMs: number, signal: AbortSignal | undefined, init: RequestInit): Promise<Answer> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    const response = await fetch(url, { ...init, signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) });
    const text = await response.text();
    return { status: response.status, body: jsonOf(text), retryAfter: response.headers.get("Retry-After"), text, kind: response.headers.get("Content-Type") ?? "" };
  } catch (error) {
    if (isAbort(error)) throw error;
    throw asProblem(error);
  }
}

function jsonOf(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
