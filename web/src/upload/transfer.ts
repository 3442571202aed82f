/**
 * The transfer of one file: parts go straight to S3, up to three at a time (`lanes.ts`), each with its MD5.
 *
 * It can be stopped and run again at any moment, also after a reload. A run first asks which parts S3 holds, and does not
 * send a part again whose checksum is right. A part is tried seven times; an expired URL is requested again.
 */

import { completeUpload, heldParts, partUrls } from "../api/calls";
import { Problem, isAbort, ownProblem } from "../api/problem";
import type { HeldPart, UploadOpened } from "../api/schema";
import { cutIntoParts, isHeld, type Part } from "../domain/parts";
import { md5 } from "./checksums";
import { Lanes } from "./lanes";
import { PartRefused, pause, pauseMs, putPart } from "./send";

const AT_ONCE = 3;
const URLS_AT_ONCE = 20;
const ATTEMPTS = 7;
/** S3's proxy ends a part that comes too slowly. */
const TOO_SLOW = 408;

export interface TransferProgress {
  sentBytes: number;
  /** Already held by the platform when this run began. */
  heldBytes: number;
  partsDone: number;
  partsTotal: number;
}

export class Transfer {
  private readonly parts: Part[];
  private readonly urls = new Map<number, string>();
  private urlsAsked: Promise<void> = Promise.resolve();
  private readonly bytes = new Map<number, number>();
  private readonly done = new Map<number, HeldPart>();
  private heldBytes = 0;
  private readonly lanes = new Lanes(AT_ONCE);

  constructor(
    private readonly file: File,
    private readonly upload: UploadOpened,
    private readonly tell: (progress: TransferProgress) => void,
  ) {
    this.parts = cutIntoParts(file.size, upload.part_bytes);
  }

  /** Runs until every part is held and the upload is completed. Throws `Problem`, or AbortError when stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const { parts: held } = await heldParts(this.upload.upload_id, signal);
    this.heldBytes = 0;
    this.bytes.clear();
    // If the completion says that a part was not stored as it was sent, the part is sent again.
    for (const part of this.parts) {
      const sent = this.done.get(part.number);
      if (sent !== undefined && !isHeld(part, sent.checksum, held)) this.done.delete(part.number);
    }
    const waiting = this.parts.filter((part) => !this.done.has(part.number));
    for (const part of this.done.values()) this.bytes.set(part.number, part.size_bytes);

    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const lane = async () => {
      for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
        await this.send(part, held, waiting, both);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
    } catch (error) {
      stop.abort(); // one part failed for good: the others stop too
      throw error;
    }
    await completeUpload(
      this.upload.upload_id,
      [...this.done.values()].sort((a, b) => a.number - b.number),
    );
  }

  private async send(part: Part, held: readonly HeldPart[], next: readonly Part[], signal: AbortSignal): Promise<void> {
    const blob = this.file.slice(part.start, part.end);
    const checksum = await md5(blob);
    signal.throwIfAborted();
    const finish = () => {
      this.done.set(part.number, { number: part.number, size_bytes: blob.size, checksum });
      this.note(part.number, blob.size);
    };
    if (isHeld(part, checksum, held)) {
      this.heldBytes += blob.size;
      finish();
      return;
    }
    for (let failures = 0; ; ) {
      try {
        // A lane for each attempt: a part that waits for its next one leaves the line to the others.
        await this.lanes.one(async () => {
          signal.throwIfAborted();
          const url = await this.urlOf(part, next, signal);
          const begun = performance.now();
          const etag = await putPart(url, blob, signal, (bytes) => this.note(part.number, bytes));
          if (etag !== null && etag !== checksum) throw new PartRefused(0, "A part arrived damaged.");
          this.lanes.sent(blob.size, performance.now() - begun);
        });
        finish();
        return;
      } catch (error) {
        this.note(part.number, 0);
        if (isAbort(error) || signal.aborted) throw error;
        if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
        const slow = error instanceof PartRefused && error.status === TOO_SLOW;
        if (slow) this.lanes.tooSlow();
        failures += 1;
        if (failures >= ATTEMPTS) {
          const why = slow
            ? "this connection is slower than the platform accepts."
            : error instanceof Error
              ? error.message
              : String(error);
          throw ownProblem("part-not-sent", `Part ${part.number} could not be sent: ${why}`);
        }
        this.urls.delete(part.number); // it may have expired
        await pause(pauseMs(failures), signal);
      }
    }
  }

  /** A part's URL. The same call also requests the URLs of the next parts. */
  private async urlOf(part: Part, next: readonly Part[], signal: AbortSignal): Promise<string> {
    await this.urlsAsked.catch(() => undefined);
    const known = this.urls.get(part.number);
    if (known !== undefined) return known;
    const numbers = [part.number, ...next.map((each) => each.number).filter((number) => !this.urls.has(number))];
    const asked = partUrls(this.upload.upload_id, numbers.slice(0, URLS_AT_ONCE), signal).then(({ parts }) => {
      for (const { number, url } of parts) this.urls.set(number, url);
    });
    this.urlsAsked = asked;
    await asked;
    const url = this.urls.get(part.number);
    if (url === undefined) throw ownProblem("no-part-url");
    return url;
  }

  private note(number: number, bytes: number): void {
    this.bytes.set(number, bytes);
    let sentBytes = 0;
    for (const value of this.bytes.values()) sentBytes += value;
    this.tell({
      sentBytes: Math.min(sentBytes, this.file.size),
      heldBytes: this.heldBytes,
      partsDone: this.done.size,
      partsTotal: this.parts.length,
    });
  }
}
