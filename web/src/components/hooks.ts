/** Hooks that several pages share: loading, the session, scrolling near an element, a delayed value. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { asProblem, isAbort, type Problem } from "../api/problem";
import { onSessionChange, who, type Who } from "../api/session";

export type Loaded<T> = { state: "loading" } | { state: "ready"; value: T } | { state: "failed"; problem: Problem };

/** Load when `keys` change, and abort the load that still runs. `reload` loads again. */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
): [Loaded<T>, () => void] {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: "loading" });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    setLoaded({ state: "loading" });
    load(controller.signal).then(
      (value) => !controller.signal.aborted && setLoaded({ state: "ready", value }),
      (error: unknown) => {
        if (!isAbort(error) && !controller.signal.aborted) setLoaded({ state: "failed", problem: asProblem(error) });
      },
    );
    return () => controller.abort();
  }, [...keys, attempt]);
  return [loaded, useCallback(() => setAttempt((n) => n + 1), [])];
}

/** Who is logged in, kept up to date. */
export function useWho(): Who | null {
  const [person, setPerson] = useState<Who | null>(who);
  useEffect(() => onSessionChange(() => setPerson(who())), []);
  return person;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? "Marquee" : `${title} · Marquee`;
  }, [title]);
}

/** Calls `reached` each time the returned element comes near the visible part of the page. */
export function useSentinel<E extends Element>(reached: () => void, margin = "600px", key: unknown = null) {
  const element = useRef<E>(null);
  const latest = useRef(reached);
  latest.current = reached;
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && latest.current(),
      { rootMargin: margin },
    );
    observer.observe(target);
    return () => observer.disconnect();
  }, [margin, key]);
  return element;
}

/** How many of `count` parts to render: `first` at once, then one more whenever the browser has nothing else to do. */
export function useGradually(count: number, first: number): number {
  const [shown, setShown] = useState(first);
  useEffect(() => {
    if (shown >= count) return;
    // Safari has no requestIdleCallback.
    if (typeof requestIdleCallback !== "function") {
      const timer = setTimeout(() => setShown(shown + 1), 0);
      return () => clearTimeout(timer);
    }
    const handle = requestIdleCallback(() => setShown(shown + 1), { timeout: 500 });
    return () => cancelIdleCallback(handle);
  }, [shown, count]);
  return Math.min(shown, count);
}

/** The value once it has not changed for a while. */
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
