/** Deleting a profile, and deleting the account: each after a question, because neither can be undone. */

import { useState } from "preact/hooks";
import { deleteAccount, deleteProfile } from "../api/calls";
import { asProblem, type Problem } from "../api/problem";
import type { ProfileOut } from "../api/schema";
import { PasswordInput } from "../components/PasswordInput";
import { Question } from "../components/Question";
import { ProblemNotice } from "../components/Trouble";
import "../styles/deletion.css";

export function ProfileDeletion({ profile, deleted }: { profile: ProfileOut; deleted: () => void }) {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const answer = async (yes: boolean) => {
    if (!yes) return setAsked(false);
    setBusy(true);
    try {
      await deleteProfile(profile.profile_id);
      setAsked(false);
      deleted();
    } catch (error) {
      const found = asProblem(error);
      if (found.status === 404) deleted(); // somebody else was first
      else setProblem(found);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button
        class="button quiet profile-delete"
        aria-label={`Delete the profile ${profile.name}`}
        onClick={() => {
          setProblem(null);
          setAsked(true);
        }}
      >
        Delete
      </button>
      {asked && (
        <Question heading={`Delete the profile ${profile.name}?`} yes="Delete the profile" no="Keep it" busy={busy} answer={(yes) => void answer(yes)}>
          <p>What this profile watched is erased, with its places in films and its suggestions. Devices that watch as {profile.name} are logged out.</p>
          {problem !== null && <ProblemNotice problem={problem} />}
        </Question>
      )}
    </>
  );
}

export function AccountDeletion({ email }: { email: string }) {
  const [password, setPassword] = useState("");
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const answer = async (yes: boolean) => {
    if (!yes) return setAsked(false);
    setBusy(true);
    try {
      await deleteAccount(password);
    } catch (error) {
      setProblem(asProblem(error));
      setAsked(false);
      setBusy(false);
    }
  };
  return (
    <section class="panel" aria-labelledby="delete-account">
      <h2 id="delete-account">Delete account</h2>
      <p>The account, its profiles and all that they watched are erased. Films that you uploaded stay. This cannot be undone.</p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          setProblem(null);
          setAsked(true);
        }}
      >
        <input type="hidden" name="username" autocomplete="username" value={email} />
        <div class="field">
          <label for="deletion-password">Your password</label>
          <PasswordInput
            class="input"
            id="deletion-password"
            autocomplete="current-password"
            required
            value={password}
            aria-invalid={problem?.field === "password" || undefined}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </div>
        {problem !== null && <ProblemNotice problem={problem} />}
        <button class="button quiet danger" type="submit">
          Delete account
        </button>
      </form>
      {asked && (
        <Question heading="Delete this account?" yes="Delete the account" no="Keep it" busy={busy} answer={(yes) => void answer(yes)}>
          <p>{email} and all of its profiles are erased at once, and every device is logged out.</p>
        </Question>
      )}
    </section>
  );
}
