/** The account: who is watching, the password, the devices that are logged in, logging out. */

import { useState } from "preact/hooks";
import {
  account,
  addProfile,
  changePassword,
  changeProfile,
  endOtherSession,
  logOut,
  logOutEverywhere,
  openSessions,
} from "../api/calls";
import { asProblem, type Problem } from "../api/problem";
import type { AccountOut, OpenSession } from "../api/schema";
import { useLoaded, useTitle, useWho } from "../components/hooks";
import { CheckIcon } from "../components/icons";
import { PasswordInput } from "../components/PasswordInput";
import { Notice, ProblemNotice, Trouble } from "../components/Trouble";
import { day } from "../domain/format";
import { lookOf } from "../domain/placeholder";
import { navigate, paths } from "../router";
import { AccountDeletion, ProfileDeletion } from "./Deletion";

export function AccountPage() {
  useTitle("Account");
  const [loaded, reload] = useLoaded(account, []);
  return (
    <div class="listing narrow">
      <h1>Account</h1>
      {loaded.state === "loading" && <div class="bone bone-block" aria-busy="true" />}
      {loaded.state === "failed" && <Trouble problem={loaded.problem} again={reload} />}
      {loaded.state === "ready" && (
        <>
          <p class="lead">
            {loaded.value.email}
            {loaded.value.role !== "viewer" && <span class="badge">{loaded.value.role}</span>}
          </p>
          <Profiles account={loaded.value} changed={reload} />
          <Password email={loaded.value.email} />
          <Devices />
          <Leaving />
          <AccountDeletion email={loaded.value.email} />
        </>
      )}
    </div>
  );
}

function Leaving() {
  const [problem, setProblem] = useState<Problem | null>(null);
  const attempt = (work: () => Promise<void>) => () => void work().catch((error: unknown) => setProblem(asProblem(error)));
  return (
    <section class="panel" aria-labelledby="leave">
      <h2 id="leave">Log out</h2>
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="actions">
        <button class="button quiet" onClick={attempt(logOut)}>
          Log out
        </button>
        <button class="button quiet" onClick={attempt(logOutEverywhere)}>
          Log out on all devices
        </button>
      </div>
    </section>
  );
}

function Devices() {
  const [loaded, reload] = useLoaded(openSessions, []);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const end = async (session: OpenSession) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await endOtherSession(session.session_id);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status !== 404) setProblem(problem); // 404: it has ended already
    } finally {
      setBusy(false);
      reload();
    }
  };
  return (
    <section class="panel" aria-labelledby="devices">
      <h2 id="devices">Devices</h2>
      {problem !== null && <ProblemNotice problem={problem} />}
      {loaded.state === "loading" && <div class="bone bone-block" aria-busy="true" />}
      {loaded.state === "failed" && <Trouble problem={loaded.problem} again={reload} />}
      {loaded.state === "ready" && (
        <ul class="devices" aria-labelledby="devices">
          {loaded.value.sessions.map((session) => (
            <li key={session.session_id} data-testid="session">
              <span>
                {session.device} {session.current && <span class="badge">this device</span>}
                <span class="hint">Last used: {day(session.last_used_at)}</span>
              </span>
              {!session.current && (
                <button
                  class="button quiet"
                  aria-label={`Log out ${session.device}`}
                  disabled={busy}
                  onClick={() => void end(session)}
                >
                  Log out
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Profiles({ account, changed }: { account: AccountOut; changed: () => void }) {
  const active = useWho()?.profileId;
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const attempt = async (work: () => Promise<unknown>) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="panel" aria-labelledby="profiles">
      <h2 id="profiles">Who is watching?</h2>
      <ul class="profiles">
        {account.profiles.map((profile) => (
          <li key={profile.profile_id}>
            <button
              class="profile"
              aria-pressed={profile.profile_id === active}
              disabled={busy}
              onClick={() =>
                profile.profile_id !== active &&
                void attempt(async () => {
                  await changeProfile(profile.profile_id);
                  navigate(paths.home);
                })
              }
            >
              <span class="profile-face" style={{ "--hue": String(lookOf(profile.profile_id).hue) }} aria-hidden="true">
                {profile.name.slice(0, 1).toUpperCase()}
              </span>
              <span>{profile.name}</span>
              {profile.profile_id === active && <CheckIcon />}
            </button>
            {profile.profile_id !== active && <ProfileDeletion profile={profile} deleted={changed} />}
          </li>
        ))}
      </ul>
      {problem !== null && <ProblemNotice problem={problem} />}
      {account.profiles.length < 8 && (
        <form
          class="inline-form"
          onSubmit={(event) => {
            event.preventDefault();
            void attempt(async () => {
              await addProfile(name.trim());
              setName("");
              changed();
            });
          }}
        >
          <div class="field">
            <label for="profile-name">New profile</label>
            <input
              class="input"
              id="profile-name"
              required
              maxLength={60}
              autocomplete="off"
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </div>
          <button class="button" type="submit">
            Add
          </button>
        </form>
      )}
    </section>
  );
}

function Password({ email }: { email: string }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [state, setState] = useState<"idle" | "busy" | "done">("idle");
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (state === "busy") return;
    setState("busy");
    setProblem(null);
    try {
      await changePassword(email, current, next);
      setCurrent("");
      setNext("");
      setState("done");
    } catch (error) {
      setProblem(asProblem(error));
      setState("idle");
    }
  };
  return (
    <section class="panel" aria-labelledby="password-heading">
      <h2 id="password-heading">Password</h2>
      <form class="stack" onSubmit={submit}>
        <input type="hidden" name="username" autocomplete="username" value={email} />
        <div class="field">
          <label for="current-password">Current password</label>
          <PasswordInput
            class="input"
            id="current-password"
            autocomplete="current-password"
            required
            value={current}
            aria-invalid={problem?.field === "current_password" || undefined}
            onInput={(event) => setCurrent(event.currentTarget.value)}
          />
        </div>
        <div class="field">
          <label for="new-password">New password</label>
          <PasswordInput
            class="input"
            id="new-password"
            autocomplete="new-password"
            required
            minLength={8}
            maxLength={128}
            value={next}
            aria-invalid={problem?.field === "new_password" || undefined}
            aria-describedby="new-password-hint"
            onInput={(event) => setNext(event.currentTarget.value)}
          />
          <span class="hint" id="new-password-hint">
            At least 8 characters. Other devices are logged out.
          </span>
        </div>
        {problem !== null && <ProblemNotice problem={problem} />}
        {state === "done" && <Notice kind="good">The password is changed.</Notice>}
        <button class="button" type="submit" aria-disabled={state === "busy"}>
          Change password
        </button>
      </form>
    </section>
  );
}
