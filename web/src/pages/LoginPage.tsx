/** Log in, and create an account. */

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { createAccount, logIn } from "../api/calls";
import { asProblem, type Problem } from "../api/problem";
import { wasLoggedOut } from "../api/session";
import { PasswordInput } from "../components/PasswordInput";
import { useTitle } from "../components/hooks";
import { Notice, ProblemNotice } from "../components/Trouble";
import { paths } from "../router";

interface EntryProps {
  heading: string;
  button: string;
  other: ComponentChildren;
  newPassword: boolean;
  enter: (email: string, password: string) => Promise<void>;
}

function EntryForm({ heading, button, other, newPassword, enter }: EntryProps) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const form = useRef<HTMLFormElement>(null);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await enter(email.trim(), password);
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
      form.current?.querySelector<HTMLInputElement>("#email")?.focus();
    }
  };

  const wrong = (field: string) => problem?.field === field || undefined;
  return (
    <div class="entry">
      <div class="entry-lamps" aria-hidden="true" />
      <form class="entry-form" ref={form} onSubmit={submit} aria-label={heading}>
        <h1>{heading}</h1>
        {problem !== null && <ProblemNotice problem={problem} />}
        {problem === null && !newPassword && wasLoggedOut() && (
          <Notice kind="plain">You have been logged out. Log in to go on where you were.</Notice>
        )}
        <div class="field">
          <label for="email">Email</label>
          <input
            class="input"
            id="email"
            name="email"
            type="email"
            autocomplete={newPassword ? "email" : "username"}
            required
            autofocus
            maxLength={254}
            aria-invalid={wrong("email")}
            value={email}
            onInput={(event) => setEmail(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for="password">Password</label>
          <PasswordInput
            class="input"
            id="password"
            name="password"
            autocomplete={newPassword ? "new-password" : "current-password"}
            required
            minLength={newPassword ? 8 : 1}
            maxLength={128}
            aria-invalid={wrong("password")}
            aria-describedby={newPassword ? "password-hint" : undefined}
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
          {newPassword && (
            <span class="hint" id="password-hint">
              At least 8 characters.
            </span>
          )}
        </div>
        <button class="button primary wide" type="submit" aria-disabled={busy}>
          {busy ? "One moment…" : button}
        </button>
        <p class="entry-other">{other}</p>
      </form>
    </div>
  );
}

export function LoginPage() {
  useTitle("Log in");
  return (
    <EntryForm
      heading="Welcome back"
      button="Log in"
      newPassword={false}
      enter={logIn}
      other={
        <>
          New here?{" "}
          <a class="link" href={paths.join + location.search}>
            Create an account
          </a>
        </>
      }
    />
  );
}

export function JoinPage() {
  useTitle("Create an account");
  return (
    <EntryForm
      heading="Create an account"
      button="Create account"
      newPassword
      enter={(email, password) => createAccount(email, password, [])}
      other={
        <>
          Have one already?{" "}
          <a class="link" href={paths.login + location.search}>
            Log in
          </a>
        </>
      }
    />
  );
}
