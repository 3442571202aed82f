/** Pictures that come in several sizes. Pure. */

export interface Sized {
  url: string;
  width: number;
}

/** The value of `srcset`: every size with its width. */
export function sourceSet(sizes: readonly Sized[]): string {
  return sizes.map((one) => `${one.url} ${one.width}w`).join(", ");
}
