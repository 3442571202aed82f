/** Sends one part to S3 by its presigned URL, with progress (fetch cannot report it), and decides when to retry. */

export class PartRefused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "PartRefused";
  }
}

/** Resolves with the ETag without its quotes, or null if the store does not expose it. */
export function putPart(
  url: string,
  part: Blob,
  signal: AbortSignal,
  sent: (bytes: number) => void,
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const done = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      settle();
    };
    request.open("PUT", url);
    request.upload.onprogress = (event) => sent(event.loaded);
    request.onload = () =>
      done(() => {
        if (request.status >= 200 && request.status < 300) {
          resolve(request.getResponseHeader("ETag")?.replace(/^"|"$/g, "") ?? null);
        } else {
          reject(new PartRefused(request.status, `The store answered ${request.status}.`));
        }
      });
    request.onerror = () => done(() => reject(new PartRefused(0, "The store cannot be reached.")));
    request.onabort = () => done(() => reject(new DOMException("stopped", "AbortError")));
    signal.addEventListener("abort", abort);
    if (signal.aborted) {
      reject(new DOMException("stopped", "AbortError"));
      return;
    }
    request.send(part);
  });
}

/** The pause grows after each failure, to at most 20 s. A random share keeps parts from retrying at the same moment. */
export function pauseMs(failures: number, chance: number = Math.random()): number {
  return Math.min(20_000, 500 * 2 ** failures) * (0.5 + chance / 2);
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(finish, ms);
    function finish() {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      window.removeEventListener("online", finish);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      window.removeEventListener("online", finish);
      reject(new DOMException("stopped", "AbortError"));
    }
    signal.addEventListener("abort", stop, { once: true });
    window.addEventListener("online", finish, { once: true });
  });
}
