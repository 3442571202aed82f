/** An error as a sentence, with a button that tries again. */

import type { Problem } from "../api/problem";
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
      {again !== undefined && (
        <button class="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ heading, children }: { heading: string; children?: preact.ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{heading}</h2>
      {children}
    </div>
  );
}
