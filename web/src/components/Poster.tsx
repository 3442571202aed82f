/** A title's picture, 16:9. Without one, or if it fails to load, a picture made from the title's name. */

import { useState } from "preact/hooks";
import { posterSizes, sourceSet } from "../domain/pictures";
import { lookOf } from "../domain/placeholder";

/** The width of a card, as `browse.css` makes it: two beside each other on a telephone. */
const ON_A_CARD = "(min-width: 40rem) clamp(11.5rem, 20.5vw, 19rem), 50vw";

interface Props {
  title: string;
  url: string | null | undefined;
  /** Load the picture at once, because it is the page's first. Its title stands beside it, so it has no text of its own. */
  eager?: boolean;
  /** How wide it is shown, for `sizes`. */
  shown?: string;
}

export function Poster(props: Props) {
  return <Picture key={props.url} {...props} />;
}

function Picture({ title, url, eager = false, shown = ON_A_CARD }: Props) {
  const [state, setState] = useState<"waiting" | "shown" | "missing">(url ? "waiting" : "missing");
  const look = lookOf(title);
  const sizes = url ? posterSizes(url) : [];
  return (
    <div class={`poster poster-${state} ${eager ? "poster-eager" : ""}`} aria-hidden="true">
      {state !== "shown" && (
        <div class={`made-poster pattern-${look.pattern}`} style={{ "--hue": String(look.hue) }}>
          <span class={title.length > 28 ? "long" : ""} dir="auto">{title}</span>
        </div>
      )}
      {url && state !== "missing" && (
        <img
          {...(sizes.length === 0 ? {} : { srcset: sourceSet(sizes), sizes: shown })}
          src={url}
          alt=""
          loading={eager ? "eager" : "lazy"}
          decoding="async"
          onLoad={() => setState("shown")}
          onError={() => setState("missing")}
        />
      )}
    </div>
  );
}
