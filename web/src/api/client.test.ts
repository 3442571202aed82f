import { beforeEach, describe, expect, it, vi } from "vitest";

const kept = new Map<string, string>();
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
};
vi.stubGlobal("localStorage", storage);
vi.stubGlobal("sessionStorage", storage);
vi.stubGlobal("navigator", { onLine: true });

const HOUR = 3600;
/** A token of one minute, issued now by a platform whose clock is `ahead` seconds ahead of this device's. */
const token = (ahead: number) => {
  const iat = Math.floor(Date.now() / 1000) + ahead;
  return `x.${btoa(JSON.stringify({ sub: "a", profile: "p", role: "viewer", iat, exp: iat + 60 }))}.x`;
};
const session = (ahead = 0) => Response.json({ access_token: token(ahead), session_id: "s" });
const html = (status: number) => new Response("<!doctype html><title>Log in to the hotel</title>", { status });
const loggedOut = () => Response.json({ status: 401, code: "not-authenticated", title: "Log in first" }, { status: 401 });

let answers: (() => Response | Promise<Response>)[] = [];
const fetched = vi.fn((_url: string, _init?: RequestInit) => Promise.resolve(answers.shift()!()));
vi.stubGlobal("fetch", fetched);
const asked = () => fetched.mock.calls.map(([url]) => url.replace("/api/v1", ""));

beforeEach(() => {
  kept.clear();
  kept.set("marquee.session", "s");
  fetched.mockClear();
  vi.resetModules();
});

const open = async () => ({ ...(await import("./client")), ...(await import("./session")) });

describe("an answer that is not the platform's", () => {
  it.each([200, 302, 400, 401, 403, 404, 407, 511])("is told in a sentence and leaves the session alone: HTML with %d", async (status) => {
    const { request, who } = await open();
    answers = [session, () => html(status)];
    const failed = await request("GET", "/home").then(() => null, (error: unknown) => error as Error);
    expect(failed).toMatchObject({ help: "again" });
    expect(failed!.message).toMatch(/^[A-Z][^<>{}]+\.$/);
    expect(failed!.message).not.toMatch(/JSON|token/i);
    expect(who(), "the viewer was logged out by a stranger's answer").not.toBeNull();
  });
  it.each([200, 401, 502])("in place of the refresh leaves the session alone: HTML with %d", async (status) => {
    const { refreshSession } = await open();
    answers = [() => html(status)];
    await expect(refreshSession()).rejects.toMatchObject({ help: "again" });
    expect(kept.get("marquee.session")).toBe("s");
  });
  it("with JSON of its own in place of the refresh is no session", async () => {
    const { refreshSession, who } = await open();
    answers = [() => Response.json({ portal: true })];
    await expect(refreshSession()).rejects.toMatchObject({ code: "foreign-answer" });
    expect(who()).toBeNull();
  });
  it("does not pass for an acknowledgement", async () => {
    const { request } = await open();
    answers = [session, () => html(200), () => new Response("", { status: 200 })];
    for (let i = 0; i < 2; i += 1) {
      await expect(request("POST", "/stream/progress", { body: {} })).rejects.toMatchObject({ code: "foreign-answer" });
    }
  });
  it("with a status of an outage says so", async () => {
    const { request } = await open();
    answers = [session, () => html(502)];
    await expect(request("GET", "/home")).rejects.toMatchObject({ status: 502, message: expect.stringContaining("on its side") });
  });
});

describe("a request without an answer", () => {
  it("ends after its limit", async () => {
    const { request } = await open();
    answers = [
      session,
      () => new Promise((_, reject) => fetched.mock.lastCall![1]!.signal!.addEventListener("abort", (event) => reject((event.target as AbortSignal).reason))),
    ];
    await expect(request("GET", "/home", { limitMs: 10 })).rejects.toMatchObject({ code: "timed-out" });
  });
  it("says that the device is offline where it is", async () => {
    const { request } = await open();
    answers = [session, () => Promise.reject(new TypeError("Failed to fetch")), () => Promise.reject(new TypeError("Failed to fetch"))];
    await expect(request("GET", "/home")).rejects.toMatchObject({ code: "unreachable" });
    vi.stubGlobal("navigator", { onLine: false });
    await expect(request("GET", "/home")).rejects.toMatchObject({ code: "offline" });
    vi.stubGlobal("navigator", { onLine: true });
  });
});

describe("a device whose clock is wrong", () => {
  it.each([-12 * HOUR, -20, 20, 12 * HOUR])("refreshes once, not with every request: %d s", async (ahead) => {
    const { request } = await open();
    answers = [() => session(ahead), ...Array.from({ length: 3 }, () => () => Response.json({}))];
    for (let i = 0; i < 3; i += 1) await request("GET", "/home");
    expect(asked()).toEqual(["/sessions/refresh", "/home", "/home", "/home"]);
  });
  it("knows after a reload how wrong it is", async () => {
    const first = await open();
    answers = [() => session(12 * HOUR), () => Response.json({})];
    await first.request("GET", "/home");
    vi.resetModules();
    const { restoreSession } = await open();
    fetched.mockClear();
    expect(await restoreSession()).toBe(true);
    expect(fetched).not.toHaveBeenCalled();
  });
});

describe("a session that the platform ended", () => {
  it("is forgotten, and the login page knows why", async () => {
    const { request, wasLoggedOut, who, keepTokens } = await open();
    answers = [session, loggedOut, loggedOut];
    await expect(request("GET", "/home")).rejects.toMatchObject({ code: "not-authenticated", help: "log-in" });
    expect(who()).toBeNull();
    expect(wasLoggedOut()).toBe(true);
    keepTokens({ access_token: token(0), session_id: "s" });
    expect(wasLoggedOut()).toBe(false);
  });
  it("is not blamed for a wrong password", async () => {
    const { logIn } = await import("./calls");
    answers = [loggedOut];
    await expect(logIn("a@example.org", "wrong")).rejects.toMatchObject({ code: "login-wrong", help: "correct" });
  });
});
