/** Uploads that this browser began, stored so that a reload can resume them or follow them through the chain. */

import type { Details } from "./FilmDetails";

export interface Remembered {
  uploadId: string;
  title: string;
  fileName: string;
  sizeBytes: number;
  /** All its bytes have arrived. */
  arrived: boolean;
  /** The title whose film it replaces. */
  replaces?: string;
  /** The film's details. They are sent again when the upload is resumed. */
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
    // Storage is full or forbidden: the upload is not stored here, but the platform still knows it.
  }
}

/** The unfinished upload of this file for this title (null: for a title of its own), if this browser began one. */
export function unfinished(fileName: string, sizeBytes: number, replaces: string | null = null): Remembered | undefined {
  return remembered().find(
    (one) =>
      !one.arrived && one.fileName === fileName && one.sizeBytes === sizeBytes && (one.replaces ?? null) === replaces,
  );
}

export function remember(upload: Remembered): void {
  keep([upload, ...remembered().filter((one) => one.uploadId !== upload.uploadId)]);
}

export function forget(uploadId: string): void {
  keep(remembered().filter((one) => one.uploadId !== uploadId));
}
