/**
 * What a person reads for each error of the API, and what can help. The API's own `detail` is for developers, and often a
 * validator's; it is shown only where an entry says so (`own`). `problems.test.ts` compares the codes with docs/api.md.
 */

/** The button that helps. `again`: the same request may succeed later. `correct`: the person changes what was entered. */
export type Help = "again" | "reload" | "log-in" | "home" | "correct" | "none";

export interface Words {
  words: string;
  help: Help;
  /** The platform's sentence is written for people and says more: it is shown in place of `words`. */
  own?: true;
}

const BUSY = "Marquee has a problem on its side. Try again in a moment.";
const SLOW = "Marquee did not answer in time. Check the connection, then try again.";
/** Faults of this client or of something in between. A person cannot mend them; a newer page may. */
const OUR_FAULT: Words = { words: "This page and the platform did not understand each other. Load the page again.", help: "reload" };
const TROUBLE: Words = { words: BUSY, help: "again" };
const NO_TITLE: Words = { words: "This title is not here. It may have been removed.", help: "home" };

/** One entry for each code of docs/api.md. */
export const PROBLEMS: Readonly<Record<string, Words>> = {
  "body-incomplete": { words: "The connection broke off. Try again.", help: "again" },
  "cursor-invalid": { words: "This list has changed meanwhile. Load the page again.", help: "reload" },
  "input-invalid": { words: "One of the values cannot be used. Check what you entered.", help: "correct" },
  "request-malformed": OUR_FAULT,
  "request-target-refused": OUR_FAULT,
  "not-authenticated": { words: "You are not logged in any more. Log in to go on.", help: "log-in" },
  "file-unavailable": { words: "A file of this film cannot be read at the moment.", help: "again" },
  "not-permitted": { words: "This account may not do that. Ask an operator for the right.", help: "home" },
  "not-presigned": OUR_FAULT,
  "origin-refused": {
    words: "This page was not opened at Marquee's own address. Open the address that you were given for Marquee.",
    help: "none",
  },
  "path-unsigned": OUR_FAULT,
  "signature-invalid": { words: "The film's address does not hold any more.", help: "again" },
  "upgrade-refused": OUR_FAULT,
  "url-expired": { words: "The film's address does not hold any more.", help: "again" },
  "not-found": { words: "There is nothing here. It may have been removed.", help: "home" },
  "profile-unknown": { words: "This profile is not there any more.", help: "reload" },
  "row-unknown": { words: "This row is not offered any more.", help: "reload" },
  "session-unknown": { words: "This device is logged out already.", help: "reload" },
  "title-unknown": NO_TITLE,
  "upload-unknown": { words: "This upload is not here any more: it was cancelled, or it ended long ago.", help: "none" },
  "web-client-missing": { words: "Marquee's pages are not installed here. Tell the operator.", help: "none" },
  "method-not-allowed": OUR_FAULT,
  "part-too-slow": { words: "This connection is slower than the platform accepts.", help: "again" },
  "request-timeout": { words: SLOW, help: "again" },
  "account-exists": { words: "There is an account with this email address already. Log in instead.", help: "correct" },
  "revision-conflict": { words: "Somebody else changed this title meanwhile. Load the page again, then repeat it.", help: "reload" },
  "title-not-playable": { words: "This title cannot be played at the moment.", help: "home", own: true },
  "upload-state-conflict": { words: "The upload is not in a state that allows this. Load the page again.", help: "reload" },
  "version-not-in-work": { words: "This version is no longer in work.", help: "reload", own: true },
  "length-required": OUR_FAULT,
  "precondition-failed": OUR_FAULT,
  "body-too-large": { words: "This is more than the platform takes at once. Shorten the texts.", help: "correct" },
  "part-too-large": OUR_FAULT,
  "request-too-large": { words: "This is more than the platform takes at once. Shorten the texts.", help: "correct" },
  "upload-too-large": { words: "The file is larger than this platform accepts.", help: "correct" },
  "address-too-long": { words: "This address is too long. Search for fewer words.", help: "home" },
  "content-encoding-refused": OUR_FAULT,
  "content-type-refused": OUR_FAULT,
  "media-type-refused": { words: "This kind of file is not accepted here.", help: "correct", own: true },
  "range-not-satisfiable": OUR_FAULT,
  "misdirected-request": OUR_FAULT,
  "parts-mismatch": { words: "Some of the bytes did not arrive as they were sent. Go on: they are sent again.", help: "again" },
  "source-refused": { words: "This file cannot be turned into a title.", help: "correct", own: true },
  "subtitles-refused": { words: "A subtitle file cannot be read.", help: "correct", own: true },
  "http-version-refused": OUR_FAULT,
  "too-many-requests": { words: "There were too many requests from here. Wait a moment, then try again.", help: "again" },
  "upload-quota-exceeded": { words: "This account uploads too much at once.", help: "correct", own: true },
  "headers-too-large": { words: "This site's cookies are too large. Delete them in the browser, then log in again.", help: "reload" },
  "internal-error": TROUBLE,
  "not-implemented": OUR_FAULT,
  "origin-failed": TROUBLE,
  "upstream-invalid": TROUBLE,
  draining: TROUBLE,
  "platform-unavailable": TROUBLE,
  "store-unavailable": TROUBLE,
  "platform-timeout": { words: SLOW, help: "again" },
  "http-version-unknown": OUR_FAULT,
};

/** What this client itself finds wrong. */
export const OWN_PROBLEMS = {
  unreachable: { words: "Marquee cannot be reached. Check the connection.", help: "again" },
  offline: { words: "This device is offline. Connect it to a network, then try again.", help: "again" },
  "timed-out": { words: SLOW, help: "again" },
  "foreign-answer": {
    words:
      "Something between this device and Marquee answered in its place. If this network wants you to log in to it first, " +
      "do that, then try again.",
    help: "again",
  },
  "login-wrong": { words: "The email address or the password is wrong.", help: "correct" },
  "file-unreadable": { words: "The file cannot be read any more. Choose it again.", help: "correct" },
  "part-not-sent": { words: "A part of the film could not be sent. Go on to try it again.", help: "again", own: true },
  "no-part-url": { words: "The platform gave no address for a part of the film. Go on to try it again.", help: "again" },
  "player-missing": { words: "The player could not be loaded. Check the connection, then load the page again.", help: "reload" },
  unplayable: { words: "This browser cannot play this film. A newer browser, or another one, may be able to.", help: "none" },
  unexpected: { words: "Something went wrong in this page. Load it again.", help: "reload" },
} as const satisfies Record<string, Words>;

const PASSWORD = "Choose another password: at least 8 characters, none of the most common ones, and not your email address.";

/** `input-invalid` says no more than its field: the sentence for it. `genres[2]` is looked up as `genres`. */
const FIELDS: Readonly<Record<string, Words>> = {
  email: { words: "This is not an email address. Check its spelling.", help: "correct" },
  password: { words: PASSWORD, help: "correct" },
  new_password: { words: PASSWORD, help: "correct" },
  current_password: { words: "The current password is wrong.", help: "correct" },
  name: { words: "Choose another name: 1 to 60 characters, not one that this account has already; 8 profiles at most.", help: "correct" },
  profile_id: { words: "This account does not have that profile any more. Load the page again.", help: "reload" },
  cookie: { words: "This site's cookies contradict each other. Delete them in the browser, then log in again.", help: "reload" },
  q: { words: "This cannot be searched for. Try other words, at most 200 characters.", help: "correct" },
  movie_id: NO_TITLE,
  upload_id: { words: "This upload is not here any more.", help: "none" },
  session_id: { words: "This device is logged out already.", help: "reload" },
  position_seconds: { words: "The position is not one of this film.", help: "none" },
  title: { words: "Enter another title: 1 to 200 characters, on one line, that can be seen.", help: "correct" },
  year: { words: "Enter a year from 1870 to 2200, or leave it empty.", help: "correct" },
  genres: { words: "Enter at most a few genres with commas between them, each of at most 60 characters.", help: "correct" },
  description: { words: "Shorten the description: at most 5,000 characters.", help: "correct" },
  file_name: { words: "The file's name cannot be used. Give the file a shorter, plain name.", help: "correct" },
  size_bytes: { words: "A file of this size cannot be uploaded.", help: "correct" },
  language: { words: "Enter the language as a code, such as en or pt-BR.", help: "correct" },
  encoding: { words: "This encoding is not known. Leave it empty: the platform finds it out.", help: "correct" },
};

/** The path of an address rather than a form's field: a person cannot correct it. */
const byField = (field: string | null): Words | undefined => (field === null ? undefined : FIELDS[field.replace(/\[.*$/s, "")]);

/**
 * The words for a problem document. `detail` is the platform's own sentence, `waitSeconds` its Retry-After. An unknown code (of a
 * newer platform) is judged by its status.
 */
export function wordsFor(
  status: number,
  code: string,
  field: string | null = null,
  detail: string | null = null,
  waitSeconds: number | null = null,
): Words {
  const found = (code === "input-invalid" ? byField(field) : undefined) ?? PROBLEMS[code] ?? byStatus(status);
  if (found.own === true && detail !== null) return { ...found, words: detail };
  if (status === 429 && waitSeconds !== null && waitSeconds > 0) {
    return { ...found, words: `There were too many requests from here. Try again in ${spokenWait(waitSeconds)}.` };
  }
  return found;
}

function byStatus(status: number): Words {
  if (status >= 500) return TROUBLE;
  const code = ({ 401: "not-authenticated", 403: "not-permitted", 404: "not-found", 408: "request-timeout", 409: "revision-conflict", 429: "too-many-requests" } as const)[status];
  if (code !== undefined) return PROBLEMS[code]!;
  return { words: "The request was not accepted. Load the page again.", help: "reload" };
}

export function spokenWait(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole <= 90) return whole === 1 ? "1 second" : `${whole} seconds`;
  return `${Math.ceil(whole / 60)} minutes`;
}

/** Seconds of a Retry-After header, which is a number or a date; null if there is none that can be read. At most an hour. */
export function retryAfterSeconds(header: string | null, nowMs: number = Date.now()): number | null {
  if (header === null || header.trim() === "") return null;
  // Only a date with the name of its month: a browser reads "-5" as a date too.
  const date = /[A-Z][a-z]{2}/.test(header) ? Date.parse(header) : Number.NaN;
  const number = /^\s*\d+\s*$/.test(header) ? Number(header) : (date - nowMs) / 1000;
  return Number.isFinite(number) ? Math.min(3600, Math.max(0, number)) : null;
}
