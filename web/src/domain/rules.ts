/** Made from the domain's rules by `python -m api.web_rules`: change them there. `make lint` compares this file. */

import type { AccountOut, TitleOut, UploadStatus } from "../api/schema";

export type Role = AccountOut["role"];
export type TitleState = TitleOut["state"];
export type FollowedState = UploadStatus["state"];
export type Right = "watch" | "manage_titles" | "see_hidden_titles" | "see_notes" | "see_engines" | "see_reports" | "touch_uploads_of_others";

/** What people are told about a title in this state. */
export const TITLE_SENTENCES: Record<TitleState, string> = {
  "announced": "This title is announced. It can be played once its film has arrived.",
  "ingesting": "This title is being prepared. Try again in a little while.",
  "playable": "This title can be played.",
  "refused": "This title cannot be played: its film could not be used. It can be played once a new film has arrived.",
  "failed": "This title cannot be played yet: something went wrong while it was prepared.",
  "cancelled": "This title cannot be played: its ingest was cancelled. It can be played once a new film has arrived.",
  "unpublished": "This title is not offered at the moment.",
  "deleted": "This title is no longer offered."
};

/** What people are told about an upload in this state that has no reason of its own. */
export const FOLLOWED_SENTENCES: Record<FollowedState, string> = {
  "uploading": "The film is being uploaded.",
  "ingesting": "The film is being prepared.",
  "playable": "The film can be played.",
  "refused": "The film was refused.",
  "failed": "Preparing the film failed.",
  "cancelled": "Preparing the film was cancelled.",
  "superseded": "A newer version of the title took its place.",
  "duplicate": "This film is here already.",
  "aborted": "The upload was cancelled, or its title was deleted.",
  "abandoned": "The upload made no progress for too long, so it was removed. Upload the film again."
};

/** States that do not change by themselves: stop following the upload. */
export const ENDED: ReadonlySet<FollowedState> = new Set<FollowedState>([
  "abandoned",
  "aborted",
  "cancelled",
  "duplicate",
  "failed",
  "playable",
  "refused",
  "superseded"
]);

/** The chain's stages, in order. */
export const STAGES = [
  "source",
  "analysis",
  "plan",
  "renditions",
  "streams",
  "subtitles",
  "quality",
  "images",
  "manifest",
  "prewarm",
  "title",
  "search_document"
] as const;
export type Stage = (typeof STAGES)[number];

/** What an account with this role may do. */
export const RIGHTS: Record<Role, readonly Right[]> = {
  "viewer": [
    "watch"
  ],
  "engineer": [
    "watch",
    "manage_titles",
    "see_hidden_titles",
    "see_notes",
    "see_engines",
    "see_reports"
  ],
  "operator": [
    "watch",
    "manage_titles",
    "see_hidden_titles",
    "see_notes",
    "see_engines",
    "see_reports",
    "touch_uploads_of_others"
  ]
};

/** The row of each genre that has one. */
export const GENRE_ROWS: Readonly<Record<string, string>> = {
  "Drama": "genre-drama",
  "Comedy": "genre-comedy",
  "Action": "genre-action",
  "Romance": "genre-romance",
  "Thriller": "genre-thriller",
  "Documentary": "genre-documentary",
  "Animation": "genre-animation",
  "Horror": "genre-horror",
  "Crime": "genre-crime",
  "Adventure": "genre-adventure",
  "Sci-Fi": "genre-sci-fi",
  "Fantasy": "genre-fantasy",
  "Mystery": "genre-mystery",
  "Family": "genre-family",
  "Western": "genre-western",
  "War": "genre-war",
  "Musical": "genre-musical",
  "Silent": "genre-silent",
  "Short": "genre-short",
  "Children": "genre-children"
};
