/** Every call of this client to the API, one function each. All throw `Problem`. Types come from api/openapi.json. */

import type { Filter } from "../domain/studio";
import { request, requestCsv, withQuery } from "./client";
import { Problem, ownProblem } from "./problem";
import { changeSessionProfile, endSession, keepTokens, who } from "./session";
import type {
  AccountDeletion,
  AccountOut,
  Completion,
  CostReport,
  FailureReport,
  HeldParts,
  HistoryPage,
  Home,
  Login,
  NewAccount,
  NewProfile,
  NewUpload,
  OpenSessions,
  PartNumbers,
  PartUrls,
  PasswordChange,
  PerformanceReport,
  ProfileOut,
  Progress,
  QualityReport,
  Removed,
  RetentionReport,
  Row,
  RowItem,
  SearchReport,
  SearchResults,
  SentPart,
  SessionOut,
  SidecarIn,
  SidecarOut,
  SimilarOut,
  Stream,
  TitleEdit,
  TitleOut,
  TitlePage,
  UndoRemoval,
  UploadOpened,
  UploadStatus,
} from "./schema";

const at = encodeURIComponent;

// --- accounts and sessions -----------------------------------------------------------------------------------------

export async function logIn(email: string, password: string, profileId: string | null = null): Promise<void> {
  const body: Login = { email, password, transport: "cookie" };
  if (profileId !== null) body.profile_id = profileId;
  const session = await request<SessionOut>("POST", "/sessions", { body, anonymous: true }).catch((error: unknown) => {
    // Here the same code does not mean that a session has ended.
    if (error instanceof Problem && error.code === "not-authenticated") throw ownProblem("login-wrong");
    throw error;
  });
  keepTokens(session, session.account.email);
}

export async function createAccount(email: string, password: string, profiles: string[]): Promise<void> {
  const body: NewAccount = { email, password, profiles };
  await request<AccountOut>("POST", "/accounts", { body, anonymous: true });
  await logIn(email, password);
}

export const account = (signal?: AbortSignal) => request<AccountOut>("GET", "/accounts/me", { signal });

export const addProfile = (name: string) =>
  request<ProfileOut>("POST", "/accounts/me/profiles", { body: { name } satisfies NewProfile });

export const deleteProfile = (profileId: string) => request<void>("DELETE", `/accounts/me/profiles/${at(profileId)}`);

/** Ends every session too; this page's at once. */
export async function deleteAccount(password: string): Promise<void> {
  await request<void>("DELETE", "/accounts/me", { body: { password } satisfies AccountDeletion });
  endSession();
}

export const changeProfile = (profileId: string) => changeSessionProfile(profileId);

/** The platform then ends every session of the account, this one too, so this logs in again with the new password. */
export async function changePassword(email: string, current: string, next: string): Promise<void> {
  const profileId = who()?.profileId ?? null;
  const body: PasswordChange = { current_password: current, new_password: next };
  await request<void>("POST", "/accounts/password", { body });
  await logIn(email, next, profileId);
}

/** Ends the session of the cookie and removes the cookie, also where the access token has expired. */
export async function logOut(): Promise<void> {
  await request<void>("DELETE", "/sessions/current", { anonymous: true });
  endSession();
}

export const openSessions = (signal?: AbortSignal) => request<OpenSessions>("GET", "/sessions", { signal });

export const endOtherSession = (sessionId: string) => request<void>("DELETE", `/sessions/${at(sessionId)}`);

export async function logOutEverywhere(): Promise<void> {
  await request<void>("DELETE", "/sessions");
  endSession();
}

/** Rows and resume positions are requested once the newest progress is acknowledged, or after one second. */
let progressUnderWay: Promise<unknown> = Promise.resolve();
const afterProgress = () => Promise.race([progressUnderWay, new Promise((resolve) => setTimeout(resolve, 1000))]);

const SIMILAR_TITLES = 20;
const OPENED_LIMIT_MS = 10_000;

// --- browsing ------------------------------------------------------------------------------------------------------

export async function home(cursor: string | null, signal?: AbortSignal): Promise<Home> {
  await afterProgress();
  return request("GET", withQuery("/home", { limit: 8, cursor }), { signal });
}

export const rowPage = (rowId: string, cursor: string, signal?: AbortSignal) =>
  request<Row>("GET", withQuery(`/rows/${at(rowId)}`, { cursor }), { signal });

export const search = (query: string, cursor: string | null, isTyping: boolean, signal?: AbortSignal) =>
  request<SearchResults>("GET", withQuery("/search", { q: query, limit: 24, cursor, typing: isTyping ? "true" : null }), { signal });

/** Asks a query that rests once more, so that reports count it. Gives its search_id; an API of an earlier release gives none. */
export const searchRested = async (query: string, signal: AbortSignal): Promise<string | undefined> =>
  (await request<Partial<SearchResults>>("GET", withQuery("/search", { q: query, limit: 1 }), { signal })).search_id;

/** Tells which result of a search was opened, its `place` from 1. Nobody waits for it, and the next page does not end it. */
export function searchOpened(searchId: string, movieId: string, place: number): void {
  const body = { movie_id: movieId, place };
  request<void>("POST", `/search/${at(searchId)}/opened`, { body, leaving: true, limitMs: OPENED_LIMIT_MS }).catch(() => undefined);
}

export const title = (movieId: string, signal?: AbortSignal) =>
  request<TitleOut>("GET", `/titles/${at(movieId)}`, { signal });

/** “More like this” of a title, the most similar first. */
export async function similar(movieId: string, signal?: AbortSignal): Promise<RowItem[]> {
  const path = withQuery(`/titles/${at(movieId)}/similar`, { limit: SIMILAR_TITLES });
  return (await request<Partial<SimilarOut>>("GET", path, { signal })).items ?? [];
}

/** Titles for engineers, those that changed last first. */
export const listTitles = (
  { text, state, withNotes, inWork, limit, cursor }: Filter & { limit: number; cursor: string | null },
  signal?: AbortSignal,
) =>
  request<TitlePage>(
    "GET",
    withQuery("/titles", {
      q: text.trim(),
      state,
      with_notes: withNotes ? "true" : null,
      in_work: inWork ? "true" : null,
      limit,
      cursor,
    }),
    { signal },
  );

export const editTitle = (movieId: string, body: TitleEdit) =>
  request<TitleOut>("PATCH", `/titles/${at(movieId)}`, { body });

export const unpublishTitle = (movieId: string) => request<TitleOut>("POST", `/titles/${at(movieId)}/unpublish`);

export const republishTitle = (movieId: string) => request<TitleOut>("POST", `/titles/${at(movieId)}/republish`);

export const deleteTitle = (movieId: string) => request<void>("DELETE", `/titles/${at(movieId)}`);

export const cancelVersion = (movieId: string, version: number) =>
  request<void>("POST", `/titles/${at(movieId)}/versions/${version}/cancel`);

export const watched = (cursor: string | null, signal?: AbortSignal) =>
  request<HistoryPage>("GET", withQuery("/history", { limit: 24, cursor }), { signal });

/** Removals and their undo. They wait for the newest progress, as reading does: it was sent before them. Both give the undo. */
async function removal(path: string): Promise<string> {
  await afterProgress();
  return (await request<Removed>("DELETE", path)).undo;
}

export const hideFromContinueWatching = (movieId: string) => removal(`/rows/continue-watching/${at(movieId)}`);

export const removeFromHistory = (movieId: string) => removal(`/history/${at(movieId)}`);

export const undoRemoval = (undo: string) =>
  request<void>("POST", "/history/undo", { body: { undo } satisfies UndoRemoval });

export async function clearHistory(): Promise<void> {
  await afterProgress();
  await request<void>("DELETE", "/history");
}

/** The beginning of a row, as much as one page holds. */
export const rowStart = (rowId: string, signal?: AbortSignal) =>
  request<Row>("GET", withQuery(`/rows/${at(rowId)}`, { limit: 50, cursor: null }), { signal });

// --- playing -------------------------------------------------------------------------------------------------------

/** Somebody waits for the film: told rather than left before a spinner. */
const STREAM_LIMIT_MS = 12_000;

/** `sessionId`: of the viewing that goes on with fresh addresses. */
export async function stream(movieId: string, signal?: AbortSignal, sessionId: string | null = null): Promise<Stream> {
  await afterProgress();
  return request("GET", withQuery("/stream", { movie_id: movieId, session_id: sessionId }), { signal, limitMs: STREAM_LIMIT_MS });
}

export function progress(movieId: string, positionSeconds: number, ageMs: number, leaving: boolean): Promise<void> {
  const body: Progress = { movie_id: movieId, position_seconds: positionSeconds, age_ms: ageMs };
  const sent = request<void>("POST", "/stream/progress", { body, leaving });
  progressUnderWay = sent.catch(() => undefined);
  return sent;
}

// --- uploads -------------------------------------------------------------------------------------------------------

export const openUpload = (upload: NewUpload) => request<UploadOpened>("POST", "/uploads", { body: upload });

export const partUrls = (uploadId: string, numbers: number[], signal?: AbortSignal) =>
  request<PartUrls>("POST", `/uploads/${at(uploadId)}/parts`, { body: { numbers } satisfies PartNumbers, signal });

export const heldParts = (uploadId: string, signal?: AbortSignal) =>
  request<HeldParts>("GET", `/uploads/${at(uploadId)}/parts`, { signal });

export const addSidecar = (uploadId: string, body: SidecarIn) =>
  request<SidecarOut>("POST", `/uploads/${at(uploadId)}/sidecars`, { body });

export const completeUpload = (uploadId: string, parts: SentPart[]) =>
  request<UploadStatus>("POST", `/uploads/${at(uploadId)}/complete`, { body: { parts } satisfies Completion });

export const abortUpload = (uploadId: string) => request<void>("DELETE", `/uploads/${at(uploadId)}`);

export const uploadStatus = (uploadId: string, signal?: AbortSignal) =>
  request<UploadStatus>("GET", `/uploads/${at(uploadId)}`, { signal });

// --- reports for engineers and operators ---------------------------------------------------------------------------

export interface Reports {
  performance: PerformanceReport;
  quality: QualityReport;
  failures: FailureReport;
  searches: SearchReport;
  retention: RetentionReport;
  costs: CostReport;
}
/** A page shows the first rows of a report; its CSV file has more. */
const REPORT_ROWS = 200;

/** Encoding cost is of all titles, whatever the range is. */
const ranged = (name: keyof Reports, days: number) => ({ days: name === "costs" ? null : days });

export const report = <N extends keyof Reports>(name: N, days: number, signal?: AbortSignal) =>
  request<Reports[N]>("GET", withQuery(`/analytics/${name}`, { ...ranged(name, days), limit: REPORT_ROWS }), { signal });

/** The whole report as CSV, and a name for the file. */
export async function reportCsv(name: keyof Reports, days: number): Promise<{ text: string; name: string }> {
  const text = await requestCsv(withQuery(`/analytics/${name}`, ranged(name, days)));
  return { text, name: `marquee-${name}-${new Date().toISOString().slice(0, 10)}.csv` };
}
