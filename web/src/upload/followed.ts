/** The words for an upload that is followed: its stage while it is prepared, then how it ended. */

import type { UploadStatus } from "../api/schema";
import { FOLLOWED_SENTENCES, STAGES, type Stage } from "../domain/rules";

/** Short names, so that a phone shows all stages in a few lines. */
export const STAGE_NAMES: Record<Stage, string> = {
  source: "Check",
  analysis: "Analyse",
  plan: "Plan",
  renditions: "Encode",
  streams: "Package",
  subtitles: "Subtitles",
  quality: "Quality",
  images: "Pictures",
  manifest: "Manifest",
  prewarm: "Warm edges",
  title: "Publish",
  search_document: "Search",
};

/** What happens now. Before the first stage: what the upload waits for. */
export function progressWords({ state, stage }: Pick<UploadStatus, "state" | "stage">): string {
  const current = STAGES.find((one) => one === stage);
  if (current !== undefined) return STAGE_NAMES[current];
  return state === "uploading" ? "Waiting for its parts" : "Waiting to start";
}

/** The platform's reason if there is one, else the sentence of the state. */
export function outcomeSentence({ state, reason }: Pick<UploadStatus, "state" | "reason">): string {
  return reason ?? FOLLOWED_SENTENCES[state];
}
