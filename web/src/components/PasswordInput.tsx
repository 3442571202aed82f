/** A password's input, with a button that shows what is typed. It is hidden again when the form is sent. */

import { useEffect, useRef, useState } from "preact/hooks";
import { HideIcon, ShowIcon } from "./icons";

/** The button's name does not hold the word of the field's label: a search for the label finds the field alone. */
const NAME = "Show characters";

interface Props {
  class: string;
  id: string;
  name?: string;
  autocomplete: "current-password" | "new-password";
  required?: boolean;
  minLength?: number;
  maxLength?: number;
  value: string;
  "aria-invalid"?: true | undefined;
  "aria-describedby"?: string | undefined;
  onInput: (event: InputEvent & { currentTarget: HTMLInputElement }) => void;
}

export function PasswordInput(props: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const form = input.current?.form;
    const hide = () => setShown(false);
    // In the capture phase: before the form's own handler, which may leave the page.
    form?.addEventListener("submit", hide, true);
    return () => form?.removeEventListener("submit", hide, true);
  }, []);
  return (
    <div class="password-input">
      <input
        {...props}
        ref={input}
        type={(shown ? "text" : "password") as "password"}
        autocapitalize="off"
        spellcheck={false}
        data-testid="password-input"
      />
      <button
        type="button"
        class="icon-button"
        aria-label={NAME}
        aria-pressed={shown}
        title={NAME}
        onClick={() => {
          setShown(!shown);
          input.current?.focus();
        }}
      >
        {shown ? <HideIcon /> : <ShowIcon />}
      </button>
    </div>
  );
}
