/** An error as a sentence, with the button that can help: `Problem.help` says which. */

import type { Problem } from "../api/problem";
import { endSession } from "../api/session";
import { paths } from "../router";
import { AlertIcon } from "./icons";

export function Notice({ kind, children }: { kind: "bad" | "good" | "plain"; children: preact.ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role={kind === "bad" ? "alert" : "status"}>
      {kind === "bad" && <AlertIcon />}
      <div>{children}</div>
    </div>
  );
}

export function Trouble({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div class="trouble" role="alert">
      <AlertIcon />
      <p>{problem.detail}</p>
      <HelpButton problem={problem} {...(again === undefined ? {} : { again })} />
    </div>
  );
}

/** The same beside a form or a list, whose own buttons try again. */
export function ProblemNotice({ problem }: { problem: Problem }) {
  return (
    <Notice kind="bad">
      <p>{problem.detail}</p>
      {(problem.help === "reload" || problem.help === "log-in") && <HelpButton problem={problem} kind="quiet" />}
    </Notice>
  );
}

/** The one button that can help with a problem, or none. `again` repeats what failed; without it the page is loaded again. */
export function HelpButton({ problem, again, kind = "" }: { problem: Problem; again?: () => void; kind?: string }) {
  const look = `button ${kind}`;
  switch (problem.help) {
    case "again":
      return (
        <button class={look} onClick={again ?? (() => location.reload())}>
          Try again
        </button>
      );
    case "reload":
      return (
        <button class={look} onClick={() => location.reload()}>
          Load the page again
        </button>
      );
    case "log-in":
      return (
        <button class={look} onClick={() => endSession(true)}>
          Log in
        </button>
      );
    case "home":
      return (
        <a class={look} href={paths.home}>
          Go home
        </a>
      );
    case "correct":
    case "none":
      return null;
  }
}

export function Empty({ heading, children }: { heading: string; children?: preact.ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{heading}</h2>
      {children}
    </div>
  );
}
