/** The API's shapes, as its OpenAPI document at /schema states them (only what this client reads). */

export type Role = "viewer" | "engineer" | "operator";

export interface Profile {
  profile_id: string;
  name: string;
}

export interface Account {
  account_id: string;
  email: string;
  role: Role;
  profiles: Profile[];
}

export interface Session {
  access_token: string;
  refresh_token: string;
  account: Account;
  profile_id: string;
}

/** A playable title on a row. The resume fields stand only in continue watching. */
export interface Card {
  movie_id: string;
  title: string;
  year?: number | null;
  poster_url?: string | null;
  duration_seconds?: number | null;
  genres?: string[];
  resume_position_seconds?: number | null;
  watched_percent?: number | null;
}

export interface Row {
  id: string;
  title: string;
  items: Card[];
  next_cursor: string | null;
}

export interface HomePage {
  rows: Row[];
  next_cursor: string | null;
}

export interface SearchResult extends Card {
  playable: boolean;
  people?: string[];
}

export interface SearchPage {
  results: SearchResult[];
  next_cursor: string | null;
}

export type TitleState = "announced" | "ingesting" | "playable" | "refused" | "failed" | "unpublished" | "deleted";

export interface Title {
  movie_id: string;
  title: string;
  state: TitleState;
  playable: boolean;
  year: number | null;
  description: string | null;
  genres: string[];
  people: string[];
  duration_seconds: number | null;
  poster_url: string | null;
}

export interface Stream {
  movie_id: string;
  title: string;
  stream_url: string;
  poster_url: string | null;
  sprite_vtt_url: string | null;
  resume_position_seconds: number;
  duration_seconds: number;
}

export interface HistoryItem extends Card {
  last_watched_at: string;
}

export interface HistoryPage {
  items: HistoryItem[];
  next_cursor: string | null;
}

export interface NewUpload {
  file_name: string;
  size_bytes: number;
  content_type: string | null;
  title: string;
  year: number | null;
  description: string | null;
  genres: string[];
  hot: boolean;
}

export interface UploadOpened {
  upload_id: string;
  movie_id: string;
  version: number;
  part_bytes: number;
  parts_total: number;
  resumed: boolean;
}

export interface PartUrl {
  number: number;
  url: string;
  size_bytes: number;
}

export interface HeldPart {
  number: number;
  size_bytes: number;
  checksum: string;
}

export interface UploadStatus {
  upload_id: string;
  movie_id: string;
  file_name: string;
  size_bytes: number;
  state:
    | "uploading"
    | "ingesting"
    | "playable"
    | "refused"
    | "failed"
    | "superseded"
    | "duplicate"
    | "aborted"
    | "abandoned";
  stage: string;
  percent: number;
  /** Times real time, while renditions are made. */
  speed: number | null;
  reason: string | null;
  playable: boolean;
}
