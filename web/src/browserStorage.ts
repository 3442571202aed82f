/**
 * What the browser keeps for this client: for the device (localStorage) or for the tab (sessionStorage).
 *
 * A browser may refuse storage (private mode, blocked cookies: reading the name alone throws) or have no room left. Then a value
 * holds until the page is left, and no page fails for it. Nothing else of the client touches the browser's storage.
 */

export class BrowserStorage {
  /** Values that the browser did not take. */
  private readonly unstored = new Map<string, string>();

  constructor(private readonly storage: () => Storage) {}

  get(key: string): string | null {
    const held = this.unstored.get(key);
    if (held !== undefined) return held;
    try {
      return this.storage().getItem(key);
    } catch {
      return null;
    }
  }

  set(key: string, value: string): void {
    try {
      this.storage().setItem(key, value);
      this.unstored.delete(key);
    } catch {
      this.remove(key); // else the value before would come back with the next page, such as another account's token
      this.unstored.set(key, value);
    }
  }

  remove(key: string): void {
    this.unstored.delete(key);
    try {
      this.storage().removeItem(key);
    } catch {
      // Nothing is stored there.
    }
  }
}

export const device = new BrowserStorage(() => localStorage);
export const tab = new BrowserStorage(() => sessionStorage);
