/** How a file is cut into upload parts, and which parts the platform holds already. Pure. */

import type { HeldPart } from "../api/schema";

export interface Part {
  number: number;
  start: number;
  end: number;
}

/** Parts are numbered from 1, as in S3. The last part is the rest of the file. An empty file has no parts. */
export function cutIntoParts(sizeBytes: number, partBytes: number): Part[] {
  const parts: Part[] = [];
  for (let start = 0, number = 1; start < sizeBytes; start += partBytes, number += 1) {
    parts.push({ number, start, end: Math.min(start + partBytes, sizeBytes) });
  }
  return parts;
}

/** Whether the platform holds exactly these bytes. It may hold a number twice with different bytes; one match is enough. */
export function isHeld(part: Part, checksum: string, held: readonly HeldPart[]): boolean {
  return held.some(
    (one) => one.number === part.number && one.checksum === checksum && one.size_bytes === part.end - part.start,
  );
}

/** `The_Long.Film (2019) 1080p.mkv` -> `The Long Film`, 2019: a first guess that the engineer may change. */
export function guessTitle(fileName: string): { title: string; year: number | null } {
  const stem = fileName.replace(/\.[a-z0-9]{2,5}$/i, "").replace(/[._]+/g, " ");
  const year = /(?:^|[\s(\[])((?:19|20)\d{2})(?=$|[\s)\]])/.exec(stem);
  const cut = year && year.index > 0 ? stem.slice(0, year.index) : stem;
  const words = cut.replace(/\b(?:\d{3,4}p|4k|x26[45]|h26[45]|hevc|hdr|bluray|web-?dl)\b.*$/i, "").trim();
  const title = words.replace(/\s+/g, " ").replace(/(^|\s)\p{Ll}/gu, (letter) => letter.toUpperCase());
  return { title: title || stem.trim(), year: year ? Number(year[1]) : null };
}
