/** Uploads that this browser began, stored so that a reload can resume them or follow them through the chain. */

import { device } from "../browserStorage";
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
    const kept: unknown = JSON.parse(device.get(KEY) ?? "[]");
    return Array.isArray(kept) ? (kept as Remembered[]) : [];
  } catch {
    return [];
  }
}

/** Where the browser does not store it, the platform still knows the upload. */
const keep = (list: Remembered[]): void => device.set(KEY, JSON.stringify(list.slice(0, MOST)));

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
