/** Errors of calls: the platform's RFC 9457 problem documents, and faults of the network. */

export class Problem extends Error {
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    /** Dotted name of the input at fault, if there is one. */
    readonly field: string | null = null,
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** A part of the platform did not answer: `detail` says what is missing. */
export const unavailable = (detail: string) => new Problem(503, "store-unavailable", detail);

interface ProblemDocument {
  code?: unknown;
  title?: unknown;
  detail?: unknown;
  field?: unknown;
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/**
 * The problem of a response that is not 2xx. `fallback` gives the sentence if the body is no problem document, and for every fault
 * of the platform: its own sentence names engines and time limits, which say nothing to a viewer.
 */
export function problemFrom(status: number, body: unknown): Problem {
  const document: ProblemDocument = typeof body === "object" && body !== null ? body : {};
  const stated = status < 500 ? (text(document.detail) ?? text(document.title)) : null;
  const detail = stated ?? fallback(status);
  return new Problem(status, text(document.code) ?? `http-${status}`, detail, text(document.field));
}

function fallback(status: number): string {
  if (status === 401) return "Log in first.";
  if (status === 403) return "This account may not do that.";
  if (status === 404) return "There is nothing here.";
  if (status === 429) return "There were too many requests. Wait a moment and try again.";
  if (status >= 500) return "Marquee has a problem on its side. Try again in a moment.";
  return "The request was not accepted.";
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) return new Problem(0, "unreachable", "Marquee cannot be reached. Check the connection.");
  return new Problem(0, "unexpected", error instanceof Error ? error.message : String(error));
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
