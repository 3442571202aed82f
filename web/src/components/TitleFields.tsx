/** The fields of a title's details, before an upload and in the studio. Values are as typed. */

import { useId } from "preact/hooks";
import type { Fields } from "../domain/studio";

interface Props {
  fields: Fields;
  change: (part: Partial<Fields>) => void;
  /** Whether a refusal names the field. */
  invalid: (field: string) => true | undefined;
  /** The form's class for a field that takes the whole row. */
  wide: string;
}

export function TitleFields({ fields, change, invalid, wide }: Props) {
  const id = useId();
  return (
    <>
      <div class="field">
        <label for={`${id}title`}>Title</label>
        <input
          class="input"
          id={`${id}title`}
          dir="auto"
          required
          maxLength={200}
          value={fields.title}
          aria-invalid={invalid("title")}
          onInput={(event) => change({ title: event.currentTarget.value })}
        />
      </div>
      <div class="field">
        <label for={`${id}year`}>Year</label>
        <input
          class="input"
          id={`${id}year`}
          type="number"
          inputMode="numeric"
          min={1870}
          max={2200}
          value={fields.year}
          aria-invalid={invalid("year")}
          onInput={(event) => change({ year: event.currentTarget.value })}
        />
      </div>
      <div class="field">
        <label for={`${id}genres`}>Genres</label>
        <input
          class="input"
          id={`${id}genres`}
          placeholder="Drama, Comedy"
          value={fields.genres}
          aria-invalid={invalid("genres")}
          onInput={(event) => change({ genres: event.currentTarget.value })}
        />
      </div>
      <div class={`field ${wide}`}>
        <label for={`${id}description`}>Description</label>
        <textarea
          class="input"
          id={`${id}description`}
          dir="auto"
          rows={3}
          maxLength={5000}
          value={fields.description}
          aria-invalid={invalid("description")}
          onInput={(event) => change({ description: event.currentTarget.value })}
        />
      </div>
    </>
  );
}
