/** The viewer's wish on this device whether the next film begins by itself, and how many did without a touch. */

import { device } from "../browserStorage";

const KEY = "marquee.play-next";

/** After so many films that began by themselves, somebody has to press: perhaps nobody is watching. */
export const MAX_UNTOUCHED = 3;
export const COUNT_DOWN_SECONDS = 10;

export const playsNext = (): boolean => device.get(KEY) !== "off";

export const keepPlaysNext = (on: boolean): void => device.set(KEY, on ? "on" : "off");

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
