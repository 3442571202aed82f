/** What went wrong, in the platform's own words: RFC 9457 problem documents, or a fault on the way. */

export class Problem extends Error {
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    /** The input at fault, in dotted form, where there is one. */
    readonly field: string | null = null,
  ) {
    super(detail);
    this.name = "Problem";
  }
}

interface ProblemDocument {
  code?: unknown;
  title?: unknown;
  detail?: unknown;
  field?: unknown;
}

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** The problem in a response that is not 2xx; `fallback` by status where the body is not a problem document. */
export function problemFrom(status: number, body: unknown): Problem {
  const document: ProblemDocument = typeof body === "object" && body !== null ? body : {};
  const detail = text(document.detail) ?? text(document.title) ?? fallback(status);
  return new Problem(status, text(document.code) ?? `http-${status}`, detail, text(document.field));
}

function fallback(status: number): string {
  if (status === 401) return "Log in first.";
  if (status === 403) return "This account may not do that.";
  if (status === 404) return "There is nothing here.";
  if (status === 429) return "That was too much at once. Wait a moment and try again.";
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
