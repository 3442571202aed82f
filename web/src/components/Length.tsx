/** A length of time: short for the eye, in whole words for a screen reader. */

import { duration, spokenDuration } from "../domain/format";

export function Length({ seconds, after = "" }: { seconds: number | null | undefined; after?: string }) {
  const words = duration(seconds);
  if (words === "") return null;
  return (
    <>
      <span aria-hidden="true">
        {words}
        {after}
      </span>
      <span class="hidden-visually">
        {spokenDuration(seconds)}
        {after}
      </span>
    </>
  );
}
