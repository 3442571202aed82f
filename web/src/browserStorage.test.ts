import { describe, expect, it } from "vitest";
import { BrowserStorage } from "./browserStorage";

class Room {
  readonly held = new Map<string, string>();
  full = false;
  getItem = (key: string) => this.held.get(key) ?? null;
  removeItem = (key: string) => void this.held.delete(key);
  setItem = (key: string, value: string) => {
    if (this.full) throw new DOMException("no room", "QuotaExceededError");
    this.held.set(key, value);
  };
}

const refusing = () => {
  throw new DOMException("The operation is insecure.", "SecurityError");
};

describe("a browser that refuses its storage", () => {
  it("keeps values until the page is left", () => {
    const storage = new BrowserStorage(refusing);
    expect(storage.get("name")).toBeNull();
    storage.set("name", "one");
    expect(storage.get("name")).toBe("one");
    storage.remove("name");
    expect(storage.get("name")).toBeNull();
  });
  it("has no storage at all", () => {
    const storage = new BrowserStorage(() => undefined as unknown as Storage);
    storage.set("name", "one");
    expect(storage.get("name")).toBe("one");
  });
});

describe("a browser without room", () => {
  it("never gives the value before, not to the next page either", () => {
    const room = new Room();
    const storage = new BrowserStorage(() => room as unknown as Storage);
    storage.set("token", "of one");
    room.full = true;
    storage.set("token", "of another");
    expect(storage.get("token")).toBe("of another");
    expect(room.held.has("token")).toBe(false);
  });
  it("stores the next value once there is room", () => {
    const room = new Room();
    room.full = true;
    const storage = new BrowserStorage(() => room as unknown as Storage);
    storage.set("name", "one");
    room.full = false;
    storage.set("name", "two");
    expect(room.held.get("name")).toBe("two");
    room.held.set("name", "of another tab");
    expect(storage.get("name")).toBe("of another tab");
  });
});
