/** Errors of calls: the platform's RFC 9457 problem documents, answers that are not the platform's, and faults of the network. */

import { OWN_PROBLEMS, retryAfterSeconds, wordsFor, type Help } from "../domain/problems";

export class Problem extends Error {
  constructor(
    /** HTTP status; 0 when no answer of the platform came. */
    readonly status: number,
    readonly code: string,
    /** The sentence for a person: from `domain/problems.ts`. */
    readonly detail: string,
    readonly help: Help = "again",
    /** Dotted name of the input at fault, if there is one. */
    readonly field: string | null = null,
    /** The answer's Retry-After. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** A part of the platform did not answer: `detail` says what is missing. */
export const unavailable = (detail: string) => new Problem(503, "store-unavailable", detail);

/** Something that this client found out itself. `said` replaces the sentence. */
export function ownProblem(code: keyof typeof OWN_PROBLEMS, said?: string): Problem {
  const { words, help } = OWN_PROBLEMS[code];
  return new Problem(0, code, said ?? words, help);
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/**
 * The problem of a response that is not 2xx. `body` is its JSON; null: it has none. Every server of the platform answers with a
 * `code`, so an answer without one comes from something in between: a proxy's HTML page, the login page of a network.
 */
export function problemFrom(status: number, body: unknown, retryAfter: string | null = null): Problem {
  const document = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const code = text(document["code"]);
  const wait = retryAfterSeconds(retryAfter);
  if (code === null) {
    // A 5xx page of a proxy in front says the same as the platform's own: try again. Any other one is a stranger's.
    if (status < 500 && status !== 429) return ownProblem("foreign-answer");
    const { words, help } = wordsFor(status, "", null, null, wait);
    return new Problem(status, `http-${status}`, words, help, null, wait);
  }
  const field = text(document["field"]);
  const { words, help } = wordsFor(status, code, field, text(document["detail"]), wait);
  return new Problem(status, code, words, help, field, wait);
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError && isOfNetwork(error)) return ownProblem(isOffline() ? "offline" : "unreachable");
  if (error instanceof DOMException && error.name === "TimeoutError") return ownProblem("timed-out");
  if (error instanceof DOMException && error.name.startsWith("NotReadable")) return ownProblem("file-unreadable");
  if (error instanceof DOMException && error.name === "NotFoundError") return ownProblem("file-unreadable");
  console.error(error); // a fault of this client: its message is for developers
  return ownProblem("unexpected");
}

/** Each browser has words of its own for a request without an answer. Any other TypeError is a fault of this client. */
function isOfNetwork({ message }: TypeError): boolean {
  return /fetch|network|load failed|connection|dynamically imported module|importing a module/i.test(message);
}

export const isOffline = () => typeof navigator !== "undefined" && navigator.onLine === false;

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
