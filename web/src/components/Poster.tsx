/** A title's picture, 16:9. Without one, or if it fails to load, a picture made from the title's name. */

import { useState } from "preact/hooks";
import { lookOf } from "../domain/placeholder";

interface Props {
  title: string;
  url: string | null | undefined;
  /** Load the picture at once, because it is the page's first. Its title stands beside it, so it has no text of its own. */
  eager?: boolean;
}

export function Poster(props: Props) {
  return <Picture key={props.url} {...props} />;
}

function Picture({ title, url, eager = false }: Props) {
  const [state, setState] = useState<"waiting" | "shown" | "missing">(url ? "waiting" : "missing");
  const look = lookOf(title);
  return (
    <div class={`poster poster-${state} ${eager ? "poster-eager" : ""}`} aria-hidden="true">
      {state !== "shown" && (
        <div class={`made-poster pattern-${look.pattern}`} style={{ "--hue": String(look.hue) }}>
          <span class={title.length > 28 ? "long" : ""} dir="auto">{title}</span>
        </div>
      )}
      {url && state !== "missing" && (
        <img
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
