/** How a file is cut into upload parts, and which of them are still missing. Pure. */

export interface Part {
  number: number;
  start: number;
  end: number;
}

/** Parts are numbered from 1, as S3 numbers them; the last one is what remains. An empty file has no parts. */
export function cutIntoParts(sizeBytes: number, partBytes: number): Part[] {
  const parts: Part[] = [];
  for (let start = 0, number = 1; start < sizeBytes; start += partBytes, number += 1) {
    parts.push({ number, start, end: Math.min(start + partBytes, sizeBytes) });
  }
  return parts;
}

export interface HeldPart {
  number: number;
  size_bytes: number;
}

/** The parts that the platform does not hold whole. */
export function missingParts(parts: readonly Part[], held: readonly HeldPart[]): Part[] {
  const sizes = new Map(held.map((part) => [part.number, part.size_bytes]));
  return parts.filter((part) => sizes.get(part.number) !== part.end - part.start);
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
