/** Edits a title's details. If somebody else changed it meanwhile, both values of each field are shown to choose from. */

import { useId, useState } from "preact/hooks";
import { editTitle, title as readTitle } from "../api/calls";
import { asProblem, type Problem } from "../api/problem";
import type { TitleOut } from "../api/schema";
import { TitleFields } from "../components/TitleFields";
import { Notice, ProblemNotice } from "../components/Trouble";
import { changes, contested, FIELD_NAMES, fieldsOf, merged, type Fields } from "../domain/studio";

interface Props {
  title: TitleOut;
  saved: (title: TitleOut) => void;
  close: () => void;
}

interface Conflict {
  /** The title as the other edit left it. */
  theirs: TitleOut;
  mine: Fields;
  fields: (keyof Fields)[];
}

export function EditTitle({ title, saved, close }: Props) {
  // The list is read again while somebody types: the edit is of what was there when it was opened.
  const [base, setBase] = useState(title);
  const [fields, setFields] = useState(() => fieldsOf(title));
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const set = (part: Partial<Fields>) => setFields((before) => ({ ...before, ...part }));
  const invalid = (field: string) => problem?.field === field || undefined;

  const meet = async () => {
    const theirs = await readTitle(base.movie_id);
    const both = contested(fieldsOf(base), fields, fieldsOf(theirs));
    setConflict({ theirs, mine: fields, fields: both });
    setFields(merged(fieldsOf(base), fields, fieldsOf(theirs)));
    setBase(theirs);
  };
  const save = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      const edit = changes(fieldsOf(base), fields);
      saved(Object.keys(edit).length === 0 ? base : await editTitle(base.movie_id, { ...edit, revision: base.revision }));
    } catch (error) {
      const found = asProblem(error);
      if (found.code !== "revision-conflict") setProblem(found);
      else await meet().catch((failed: unknown) => setProblem(asProblem(failed)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="studio-edit"
      aria-label={`Edit ${title.title}`}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {conflict !== null && (
        <Notice kind="bad">
          <p>
            Somebody else changed this title meanwhile.{" "}
            {conflict.fields.length === 0
              ? "You changed other fields: save again to keep both changes."
              : "Choose which value each field gets, then save again."}
          </p>
        </Notice>
      )}
      {conflict?.fields.map((name) => (
        <Choice
          key={name}
          name={name}
          mine={conflict.mine[name]}
          theirs={fieldsOf(conflict.theirs)[name]}
          chosen={fields[name]}
          choose={(value) => set({ [name]: value })}
        />
      ))}
      <TitleFields fields={fields} change={set} invalid={invalid} wide="studio-edit-wide" />
      {problem !== null && (
        <div class="studio-edit-wide">
          <ProblemNotice problem={problem} />
        </div>
      )}
      <div class="actions studio-edit-wide">
        <button class="button primary" type="submit" disabled={busy}>
          Save
        </button>
        <button class="button quiet" type="button" onClick={close}>
          Close
        </button>
      </div>
    </form>
  );
}

interface ChoiceProps {
  name: keyof Fields;
  mine: string;
  theirs: string;
  chosen: string;
  choose: (value: string) => void;
}

function Choice({ name, mine, theirs, chosen, choose }: ChoiceProps) {
  const group = useId();
  const option = (words: string, value: string) => (
    <label class="check">
      <input type="radio" name={group} checked={chosen === value} onChange={() => choose(value)} />
      <span>
        {words}
        <small dir="auto">{value === "" ? "(empty)" : value}</small>
      </span>
    </label>
  );
  return (
    <fieldset class="studio-choice studio-edit-wide">
      <legend>{FIELD_NAMES[name]}</legend>
      {option("Yours", mine)}
      {option("The other one", theirs)}
    </fieldset>
  );
}
