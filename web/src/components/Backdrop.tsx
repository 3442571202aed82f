/** The wide picture behind a title's name, in the size that the screen needs. Titles without one show their poster. */

import { useState } from "preact/hooks";
import type { PictureOut } from "../api/schema";
import { sourceSet } from "../domain/pictures";
import { Poster } from "./Poster";

interface Props {
  title: string;
  /** The smallest size first; empty or missing for titles that an earlier release published. */
  backdrop: PictureOut[] | undefined;
  posterUrl: string | null | undefined;
}

export function Backdrop({ title, backdrop = [], posterUrl }: Props) {
  const [state, setState] = useState<"waiting" | "shown" | "missing">("waiting");
  const largest = backdrop.at(-1);
  if (largest === undefined || state === "missing") return <Poster title={title} url={posterUrl} eager shown="100vw" />;
  return (
    <div class={`poster poster-${state} backdrop`} aria-hidden="true" data-testid="backdrop">
      <img
        src={largest.url}
        srcset={sourceSet(backdrop)}
        sizes="100vw"
        width={largest.width}
        height={largest.height}
        alt=""
        loading="eager"
        decoding="async"
        fetchpriority="high"
        onLoad={() => setState("shown")}
        onError={() => setState("missing")}
      />
    </div>
  );
}
