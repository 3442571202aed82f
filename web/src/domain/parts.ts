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

const MAX_NAME = 255;
const MAX_TITLE = 200;

/** A file's name as text that can be sent: one line, without half characters and backslashes, at most 255 code points long. */
export function sentName(fileName: string): string {
  return cutText(wellFormed(fileName).replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\\/]/g, "\ufffd"), MAX_NAME);
}

/** Half of a surrogate pair is no text: a name of a file may hold one. (`toWellFormed` is too new for some browsers.) */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** The first code points, ending between what a reader sees as characters: the platform counts code points, not UTF-16 units. */
export function cutText(text: string, length: number): string {
  if ([...text].length <= length) return text;
  let kept = "";
  let count = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    count += [...segment].length;
    if (count > length) break;
    kept += segment;
  }
  return kept.trimEnd() || [...text].slice(0, length).join("");
}

/** `The_Long.Film (2019) 1080p.mkv` -> `The Long Film`, 2019: a first guess that the engineer may change. */
export function guessTitle(fileName: string): { title: string; year: number | null } {
  const name = wellFormed(fileName).replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, " ");
  const stem = name.replace(/\.[a-z0-9]{2,5}$/i, "").replace(/[._]+/g, " ");
  const year = /(?:^|[\s(\[])((?:19|20)\d{2})(?=$|[\s)\]])/.exec(stem);
  const cut = year && year.index > 0 ? stem.slice(0, year.index) : stem;
  const words = cut.replace(/\b(?:\d{3,4}p|4k|x26[45]|h26[45]|hevc|hdr|bluray|web-?dl)\b.*$/i, "").trim();
  const title = words.replace(/\s+/g, " ").replace(/(^|\s)\p{Ll}/gu, (letter) => letter.toUpperCase());
  return { title: cutText(title || stem.trim() || name.trim(), MAX_TITLE), year: year ? Number(year[1]) : null };
}
