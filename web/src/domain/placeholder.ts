/** The picture for a title without a poster: a hue and a pattern that are always the same for one title. Pure. */

export interface Look {
  hue: number;
  pattern: 0 | 1 | 2 | 3;
}

/** FNV-1a over the title's characters. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) {
    value ^= character.codePointAt(0)!;
    value = Math.imul(value, 0x01000193);
  }
  return value >>> 0;
}

/** A name that is set smaller, because as a headline it would fill the screen. */
export function isLongName(title: string): boolean {
  return title.length > 60 || title.split(/\s/).some((word) => word.length > 24);
}

export function lookOf(title: string): Look {
  const value = hash(title.trim().toLowerCase());
  return { hue: value % 360, pattern: ((value >>> 9) % 4) as Look["pattern"] };
}
