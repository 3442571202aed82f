/**
 * What the edges' logs learn of a request, in the query `CMCD` (CTA-5004, version 1): seconds in the buffer, the bits of the rung,
 * the measured line, the kind of object, the playback session. hls.js's own controller would cost 6 kB gzip more.
 *
 * Segments alone carry it. A playlist's address stays as it is, because the line is measured by it (`lineMemory.ts`). A query and
 * no headers: those would ask each edge for a preflight. The same segment keeps its first query, so that the browser's cache has it.
 */

import type Hls from "hls.js";
import type { Fragment, LoaderContext } from "hls.js";

/** A film of two hours has 3600 segments of 2 s; of what is forgotten the browser's cache is not asked. */
const MAX_KEPT = 2000;

export interface Known {
  /** Of film, ahead of the position. */
  bufferMs: number;
  /** Of the rung that is asked for; null: not known. */
  kbps: number | null;
  /** Of the line; null: not measured yet. */
  throughputKbps: number | null;
  /** `v` picture, `a` sound, `c` subtitles, `i` the beginning of a file that all segments need. */
  kind: "v" | "a" | "c" | "i";
  sessionId: string;
}

/** Keys in alphabetical order; times and the line are rounded to hundreds, as the standard wants. */
export function cmcd({ bufferMs, kbps, throughputKbps, kind, sessionId }: Known): string {
  const hundreds = (value: number) => 100 * Math.round(value / 100);
  const pairs = [
    kind === "v" || kind === "a" ? `bl=${hundreds(Math.max(0, bufferMs))}` : null,
    kbps === null ? null : `br=${Math.round(kbps)}`,
    throughputKbps === null ? null : `mtp=${hundreds(throughputKbps)}`,
    `ot=${kind}`,
    `sid="${sessionId}"`,
  ];
  return pairs.filter((one) => one !== null).join(",");
}

/** Adds the query to the address of a segment; any other address is handed on. */
export class CmcdQuery {
  private readonly kept = new Map<string, string>();

  constructor(
    private readonly hls: Hls,
    private readonly sessionId: string,
    /** Bits a second of the line; null: not measured yet. */
    private readonly line: () => number | null,
    private readonly bufferedSeconds: () => number,
  ) {}

  addTo(url: string, context: LoaderContext): string {
    const { frag } = context as LoaderContext & { frag?: Fragment };
    if (frag === undefined || this.sessionId === "" || url.includes("?")) return url;
    const known = this.kept.get(url);
    if (known !== undefined) return known;
    const line = this.line();
    const text = cmcd({
      bufferMs: 1000 * this.bufferedSeconds(),
      kbps: this.kbpsOf(frag),
      throughputKbps: line === null ? null : line / 1000,
      kind: kindOf(frag),
      sessionId: this.sessionId,
    });
    const asked = `${url}?CMCD=${encodeURIComponent(text)}`;
    if (this.kept.size >= MAX_KEPT) this.kept.delete(this.kept.keys().next().value!);
    this.kept.set(url, asked);
    return asked;
  }

  private kbpsOf(frag: Fragment): number | null {
    const bits = String(frag.type) === "main" ? this.hls.levels[frag.level]?.averageBitrate : undefined;
    return bits === undefined ? null : bits / 1000;
  }
}

function kindOf(frag: Fragment): Known["kind"] {
  if (frag.sn === "initSegment") return "i";
  const type = String(frag.type);
  return type === "audio" ? "a" : type === "subtitle" ? "c" : "v";
}
