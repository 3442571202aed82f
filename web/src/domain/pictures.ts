/** Pictures that come in several sizes. Pure. */

export interface Sized {
  url: string;
  width: number;
}

/**
 * A poster's sizes by its address, the smallest first: `…/poster-640x360.jpg` has one of half the size beside it. Empty for an
 * address that does not tell its size, as those of earlier releases.
 */
export function posterSizes(url: string): Sized[] {
  const [, folder, width, height] = /^(.*\/poster-)(\d{1,5})x(\d{1,5})\.jpg$/.exec(url) ?? [];
  if (folder === undefined || Number(width) < 2 || Number(height) < 2) return [];
  const half = Math.floor(Number(width) / 2);
  return [
    { url: `${folder}${half}x${Math.floor(Number(height) / 2)}.jpg`, width: half },
    { url, width: Number(width) },
  ];
}

/** The value of `srcset`: every size with its width. */
export function sourceSet(sizes: readonly Sized[]): string {
  return sizes.map((one) => `${one.url} ${one.width}w`).join(", ");
}
