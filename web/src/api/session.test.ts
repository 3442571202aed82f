import { beforeEach, expect, it, vi } from "vitest";
import type { Role } from "../domain/rules";

const kept = new Map<string, string>();
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
};
const tab = new EventTarget();
vi.stubGlobal("localStorage", storage);
vi.stubGlobal("sessionStorage", { ...storage, setItem: () => undefined });
vi.stubGlobal("window", tab);
vi.stubGlobal("navigator", {});

const tokenOf = (account: string) => `x.${btoa(JSON.stringify({ sub: account, profile: "p", role: "viewer", exp: 9e9 }))}.x`;
const changed = (newValue: string | null) => {
  if (newValue === null) kept.delete("marquee.session");
  else kept.set("marquee.session", newValue);
  tab.dispatchEvent(Object.assign(new Event("storage"), { key: "marquee.session", newValue }));
};
const answered = (account: string, session = `s_${account}`) =>
  Response.json({ access_token: tokenOf(account), session_id: session, refresh_token: null });
const refused = (status: number) => Response.json({ status, code: "x", title: "Refused" }, { status });
const sent = (fetched: ReturnType<typeof vi.fn>, call = 0): unknown => JSON.parse(fetched.mock.calls[call]![1].body);

beforeEach(() => {
  kept.clear();
  vi.resetModules();
});

it("follows another tab that logs out, and in as somebody else", async () => {
  const { followOtherTabs, keepTokens, who } = await import("./session");
  const refresh = vi.fn(async () => answered("other"));
  vi.stubGlobal("fetch", refresh);
  followOtherTabs();
  keepTokens({ access_token: tokenOf("one"), session_id: "s_one" });
  changed(null);
  expect(who()).toBeNull();
  changed("s_other");
  await vi.waitFor(() => expect(who()?.accountId).toBe("other"));
  expect(refresh).toHaveBeenCalledOnce();
});

it("follows what other tabs did while its page was in the back/forward cache", async () => {
  const { followOtherTabs, keepTokens, who } = await import("./session");
  const refresh = vi.fn(async () => answered("other"));
  vi.stubGlobal("fetch", refresh);
  followOtherTabs();
  const comesBack = (meanwhile: () => void) => {
    tab.dispatchEvent(new Event("pagehide"));
    meanwhile();
    tab.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  };
  keepTokens({ access_token: tokenOf("one"), session_id: "s_one" });
  comesBack(() => undefined);
  expect(who()?.accountId).toBe("one");
  comesBack(() => kept.set("marquee.session", "s_other"));
  expect(who()?.accountId).not.toBe("one");
  await vi.waitFor(() => expect(who()?.accountId).toBe("other"));
  comesBack(() => kept.delete("marquee.session"));
  expect(who()).toBeNull();
});

it("keeps no refresh token where a script could read it", async () => {
  const { keepTokens, refreshSession } = await import("./session");
  const refresh = vi.fn(async () => answered("one"));
  vi.stubGlobal("fetch", refresh);
  keepTokens({ access_token: tokenOf("one"), session_id: "s_one" }, "one@example.org");
  expect(await refreshSession()).toBe(true);
  expect(sent(refresh)).toEqual({ transport: "cookie" });
  expect([...kept.keys()].sort()).toEqual(["marquee.email", "marquee.session"]);
});

it("moves the token that 0.1.0 kept into the cookie, once", async () => {
  kept.set("marquee.refresh", "old-token");
  const { refreshSession, restoreSession, who } = await import("./session");
  const refresh = vi.fn(async () => answered("one"));
  vi.stubGlobal("fetch", refresh);
  expect(await restoreSession()).toBe(true);
  expect(sent(refresh)).toEqual({ transport: "cookie", refresh_token: "old-token" });
  expect(kept.has("marquee.refresh")).toBe(false);
  expect(who()?.accountId).toBe("one");
  await refreshSession();
  expect(sent(refresh, 1)).toEqual({ transport: "cookie" });
});

it("keeps the old token and the session through an outage, and gives both up when the platform refuses them", async () => {
  kept.set("marquee.refresh", "old-token");
  const { restoreSession } = await import("./session");
  for (const status of [503, 429, 403, 400]) {
    vi.stubGlobal("fetch", async () => refused(status));
    await expect(restoreSession()).rejects.toMatchObject({ status });
    expect(kept.get("marquee.refresh")).toBe("old-token");
  }
  vi.stubGlobal("fetch", async () => refused(401));
  expect(await restoreSession()).toBe(false);
  expect(kept.size).toBe(0);
});

it("asks nothing for a stranger", async () => {
  const { restoreSession } = await import("./session");
  const refresh = vi.fn();
  vi.stubGlobal("fetch", refresh);
  expect(await restoreSession()).toBe(false);
  expect(refresh).not.toHaveBeenCalled();
});

it("offers uploads to whoever may manage titles", async () => {
  const { mayUpload } = await import("./session");
  const withRole = (role: Role) => ({ accountId: "a", profileId: "p", email: null, role });
  expect(mayUpload(withRole("engineer"))).toBe(true);
  expect(mayUpload(withRole("operator"))).toBe(true);
  expect(mayUpload(withRole("viewer"))).toBe(false);
  expect(mayUpload(null)).toBe(false);
});
