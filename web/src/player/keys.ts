/** What each key does in the player. Pure: the player performs the actions. */

export type PlayerAction =
  | { do: "toggle" }
  | { do: "skip"; seconds: number }
  | { do: "volume"; by: number }
  | { do: "mute" }
  | { do: "fullscreen" }
  | { do: "captions" }
  | { do: "jump"; share: number }
  | { do: "faster"; by: number }
  | { do: "help" }
  | { do: "leave" };

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** `onControl`: the focus is on a button or a menu, which handles Space and Enter itself, and a menu also the arrows. */
export function actionFor(pressed: Pressed, onControl: boolean): PlayerAction | null {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null;
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  if (/^[0-9]$/.test(key)) return { do: "jump", share: Number(key) / 10 };
  switch (key) {
    case " ":
      return onControl ? null : { do: "toggle" };
    case "k":
      return { do: "toggle" };
    case "ArrowLeft":
      return { do: "skip", seconds: -5 };
    case "ArrowRight":
      return { do: "skip", seconds: 5 };
    case "j":
      return { do: "skip", seconds: -10 };
    case "l":
      return { do: "skip", seconds: 10 };
    case "ArrowUp":
      return { do: "volume", by: 0.05 };
    case "ArrowDown":
      return { do: "volume", by: -0.05 };
    case "Home":
      return { do: "jump", share: 0 };
    case "End":
      return { do: "jump", share: 1 };
    case "m":
      return { do: "mute" };
    case "f":
      return { do: "fullscreen" };
    case "c":
      return { do: "captions" };
    case ">":
      return { do: "faster", by: 1 };
    case "<":
      return { do: "faster", by: -1 };
    case "?":
      return { do: "help" };
    case "Escape":
      return { do: "leave" };
    default:
      return null;
  }
}

/** The help panel's lines. */
export const KEY_HELP: readonly (readonly [string[], string])[] = [
  [["Space", "K"], "Play or pause"],
  [["←", "→"], "5 seconds back or on"],
  [["J", "L"], "10 seconds back or on"],
  [["0", "–", "9"], "To a tenth of the film"],
  [["↑", "↓"], "Volume"],
  [["M"], "Sound on or off"],
  [["C"], "Subtitles on or off"],
  [["F"], "Full screen"],
  [["<", ">"], "Slower or faster"],
  [["?"], "This list"],
  [["Esc"], "Back"],
];
