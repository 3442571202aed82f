import { expect, it, vi } from "vitest";
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
  if (newValue === null) kept.delete("marquee.refresh");
  else kept.set("marquee.refresh", newValue);
  tab.dispatchEvent(Object.assign(new Event("storage"), { key: "marquee.refresh", newValue }));
};

it("follows another tab that logs out, and in as somebody else", async () => {
  const { followOtherTabs, keepTokens, who } = await import("./session");
  const refresh = vi.fn(async () => Response.json({ access_token: tokenOf("other"), refresh_token: "rotated" }));
  vi.stubGlobal("fetch", refresh);
  followOtherTabs();
  keepTokens({ access_token: tokenOf("one"), refresh_token: "first" });
  changed("second"); // another tab rotated the token: this tab must not rotate it again
  expect(refresh).not.toHaveBeenCalled();
  changed(null);
  expect(who()).toBeNull();
  changed("of the other");
  await vi.waitFor(() => expect(who()?.accountId).toBe("other"));
  expect(refresh).toHaveBeenCalledOnce();
});

it("offers uploads to whoever may manage titles", async () => {
  const { mayUpload } = await import("./session");
  const withRole = (role: Role) => ({ accountId: "a", profileId: "p", email: null, role });
  expect(mayUpload(withRole("engineer"))).toBe(true);
  expect(mayUpload(withRole("operator"))).toBe(true);
  expect(mayUpload(withRole("viewer"))).toBe(false);
  expect(mayUpload(null)).toBe(false);
});
