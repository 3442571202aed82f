/** What was left out of a film, guessed, repaired or found damaged. The API sends the most severe notes first. */

import type { NoteOut } from "../api/schema";

const WORDS: Record<NoteOut["severity"], string> = { serious: "Serious", warning: "Warning", info: "Note" };

/** `of`: the film that they are of, where a page has several. */
export function Notes({ notes, of }: { notes: NoteOut[]; of?: string }) {
  const told = notes.filter((one) => one.severity !== "info");
  const rest = notes.filter((one) => one.severity === "info");
  if (notes.length === 0) return null;
  return (
    <section class="notes" aria-label={of === undefined ? "Notes" : `Notes of ${of}`} data-testid="notes">
      {told.length > 0 && <List notes={told} />}
      {rest.length > 0 && (
        <details>
          <summary>{rest.length === 1 ? "One remark" : `${rest.length} remarks`}</summary>
          <List notes={rest} />
        </details>
      )}
    </section>
  );
}

function List({ notes }: { notes: NoteOut[] }) {
  return (
    <ul>
      {notes.map((one, index) => (
        <li key={index} class={one.severity} data-code={one.code}>
          <strong>{WORDS[one.severity]}</strong> {one.sentence}
        </li>
      ))}
    </ul>
  );
}
