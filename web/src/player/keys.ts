/** What each key does in the player. Pure: the player performs the actions. */

export type PlayerAction =
  | { do: "toggle" }
  | { do: "skip"; seconds: number }
  | { do: "volume"; by: number }
  | { do: "mute" }
  | { do: "fullscreen" }
  | { do: "small-window" }
  | { do: "captions" }
  | { do: "caption-size"; by: number }
  | { do: "jump"; share: number }
  | { do: "faster"; by: number }
  | { do: "stats" }
  | { do: "help" }
  | { do: "leave" };

interface Pressed {
  key: string;
  /** The key's place on a US keyboard, such as `KeyP`. */
  code?: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey?: boolean;
  repeat?: boolean;
  isComposing?: boolean;
  getModifierState?: (name: string) => boolean;
}

/**
 * The letter or sign that was pressed. A Cyrillic, Greek, Hebrew or Arabic keyboard has no Latin letters: there the key's place
 * counts. So does the row of digits where it writes signs first (French).
 */
function signOf({ key, code = "", shiftKey = false }: Pressed): string {
  if (key.length > 1) return key;
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter !== undefined && key > "\u024f") return letter.toLowerCase();
  const digit = /^Digit([0-9])$/.exec(code)?.[1];
  if (digit !== undefined && !shiftKey && !SIGNS.has(key)) return digit;
  return key.toLowerCase();
}

const SIGNS = new Set(["<", ">", "?", "+", "=", "-"]);
/** What a held key does again and again. A held Space would pause and play in turn. */
const REPEATING = new Set<PlayerAction["do"]>(["skip", "volume", "faster", "caption-size"]);

/** `onControl`: the focus is on a button or a menu, which handles Space and Enter itself, and a menu also the arrows. */
export function actionFor(pressed: Pressed, onControl: boolean): PlayerAction | null {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || pressed.isComposing) return null;
  if (pressed.getModifierState?.("AltGraph")) return null;
  const action = actionOf(signOf(pressed), onControl);
  return action !== null && pressed.repeat && !REPEATING.has(action.do) ? null : action;
}

function actionOf(sign: string, onControl: boolean): PlayerAction | null {
  if (/^[0-9]$/.test(sign)) return { do: "jump", share: Number(sign) / 10 };
  switch (sign) {
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
    case "p":
      return { do: "small-window" };
    case "c":
      return { do: "captions" };
    case "+":
    case "=":
      return { do: "caption-size", by: 1 };
    case "-":
      return { do: "caption-size", by: -1 };
    case ">":
      return { do: "faster", by: 1 };
    case "<":
      return { do: "faster", by: -1 };
    case "i":
      return { do: "stats" };
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
  [["Home", "End"], "To the start or the end"],
  [["↑", "↓"], "Volume"],
  [["M"], "Sound on or off"],
  [["C"], "Subtitles on or off"],
  [["+", "−"], "Larger or smaller subtitles"],
  [["<", ">"], "Slower or faster"],
  [["P"], "Picture-in-picture"],
  [["F"], "Full screen"],
  [["I"], "Statistics"],
  [["?"], "This list"],
  [["Esc"], "Close a panel, or go back"],
];
