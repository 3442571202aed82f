/** A title's picture, 16:9; where there is none, or it cannot be had, one made of the title itself. */

import { useState } from "preact/hooks";
import { lookOf } from "../domain/placeholder";

interface Props {
  title: string;
  url: string | null | undefined;
  /** The picture stands beside its title in words, so it is decoration; load it at once when it is the page's first. */
  eager?: boolean;
}

export function Poster(props: Props) {
  return <Picture key={props.url} {...props} />;
}

function Picture({ title, url, eager = false }: Props) {
  const [state, setState] = useState<"waiting" | "shown" | "missing">(url ? "waiting" : "missing");
  const look = lookOf(title);
  return (
    <div class={`poster poster-${state}`} aria-hidden="true">
      {state !== "shown" && (
        <div class={`made-poster pattern-${look.pattern}`} style={{ "--hue": String(look.hue) }}>
          <span class={title.length > 28 ? "long" : ""}>{title}</span>
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
