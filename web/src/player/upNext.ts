/** The viewer's wish on this device whether the next film begins by itself, and how many did without a touch. */

const KEY = "marquee.play-next";

/** After so many films that began by themselves, somebody has to press: perhaps nobody is watching. */
export const MAX_UNTOUCHED = 3;
export const COUNT_DOWN_SECONDS = 10;

export function playsNext(): boolean {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

export function keepPlaysNext(on: boolean): void {
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // Storage is full or forbidden: the choice applies to this page only.
  }
}

let untouched = 0;

/** The next film begins; `pressed`: by the viewer's own press. */
export function noteNext(pressed: boolean): void {
  untouched = pressed ? 0 : untouched + 1;
}

export function noteTouch(): void {
  untouched = 0;
}

/** Whether a count-down may begin the next film. */
export function mayCountDown(): boolean {
  return playsNext() && untouched < MAX_UNTOUCHED && !matchMedia("(prefers-reduced-motion: reduce)").matches;
}
