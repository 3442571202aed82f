/** “More like this” of a title: a row of its own. While it is asked for, and where there is nothing or no answer, it is not there. */

import { useEffect, useState } from "preact/hooks";
import { similar } from "../api/calls";
import type { RowItem } from "../api/schema";
import { similarRow } from "../domain/upNext";
import { Shelf } from "./Shelf";

const NAME = "More like this";

/** Nothing of the page lies below it, so its coming moves nothing. */
export function MoreLikeThis({ movieId }: { movieId: string }) {
  const [items, setItems] = useState<RowItem[]>([]);
  useEffect(() => {
    const controller = new AbortController();
    setItems([]);
    similar(movieId, controller.signal).then(
      (found) => !controller.signal.aborted && setItems(found.filter((card) => card.movie_id !== movieId)),
      () => undefined, // the page is whole without it
    );
    return () => controller.abort();
  }, [movieId]);
  if (items.length === 0) return null;
  return (
    <div class="more-like-this">
      <Shelf row={{ id: similarRow(movieId), title: NAME, items, next_cursor: null }} onMore={() => undefined} />
    </div>
  );
}
