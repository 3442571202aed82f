/** Uploads that this browser began: to be gone on with, or followed through the chain, after a reload. */

import type { Details } from "./FilmDetails";

export interface Remembered {
  uploadId: string;
  title: string;
  fileName: string;
  sizeBytes: number;
  /** All its bytes have arrived. */
  arrived: boolean;
  /** What was said of the film: said again when it is gone on with. */
  details?: Partial<Details>;
}

const KEY = "marquee.uploads";
const MOST = 12;

export function remembered(): Remembered[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? (kept as Remembered[]) : [];
  } catch {
    return [];
  }
}

function keep(list: Remembered[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(list.slice(0, MOST)));
  } catch {
    // Not remembered then; the platform still knows the upload.
  }
}

/** The unfinished upload of this file, if this browser began one. */
export function unfinished(fileName: string, sizeBytes: number): Remembered | undefined {
  return remembered().find((one) => !one.arrived && one.fileName === fileName && one.sizeBytes === sizeBytes);
}

export function remember(upload: Remembered): void {
  keep([upload, ...remembered().filter((one) => one.uploadId !== upload.uploadId)]);
}

export function forget(uploadId: string): void {
  keep(remembered().filter((one) => one.uploadId !== uploadId));
}
