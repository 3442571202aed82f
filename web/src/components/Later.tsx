/** A page whose code is fetched when it is first needed, and the last resort of every page: a fault of its own code is told. */

import type { ComponentChildren, ComponentType } from "preact";
import { useErrorBoundary, useEffect, useState } from "preact/hooks";
import { asProblem, ownProblem, type Problem } from "../api/problem";
import { withinLimit } from "../domain/limit";
import { Trouble } from "./Trouble";

/** A page's code is at most 100 kB: on a line that needs longer, no film could be watched. */
const LIMIT_MS = 30_000;

export function Later<P extends object>({ load, props }: { load: () => Promise<ComponentType<P>>; props: P }) {
  const [loaded, setLoaded] = useState<{ page: ComponentType<P> } | { problem: Problem } | null>(null);
  useEffect(() => {
    withinLimit(load(), LIMIT_MS).then(
      (page) => setLoaded({ page }),
      (error: unknown) => setLoaded({ problem: asProblem(error) }),
    );
  }, [load]);
  if (loaded === null) return <div class="waiting-page" aria-busy="true" />;
  // A browser may remember that a module failed, and a newer release has other file names: only a reload helps.
  if ("problem" in loaded) return <Trouble problem={loaded.problem} again={() => location.reload()} />;
  return <loaded.page {...props} />;
}

/** Shows a sentence instead of an empty page if the code of a page throws, for example on an answer that lacks a part. */
export function Guarded({ children }: { children: ComponentChildren }) {
  const [error] = useErrorBoundary((thrown: unknown) => console.error(thrown));
  if (error !== undefined) return <Trouble problem={ownProblem("unexpected")} />;
  return <>{children}</>;
}
