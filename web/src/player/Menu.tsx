/** A button that opens a menu of choices (ARIA menu pattern: arrows, Home, End, Escape; focus returns to the button). */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { CheckIcon } from "../components/icons";

export interface MenuChoice {
  label: string;
  note?: string | undefined;
  /** Whether it is the chosen one of its group. Left out: an action, such as opening a panel. */
  chosen?: boolean;
  choose: () => void;
}

export interface MenuGroup {
  heading: string;
  choices: MenuChoice[];
}

const ITEMS = "[role^=menuitem]";

interface Props {
  name: string;
  icon: ComponentChildren;
  groups: MenuGroup[];
  open: boolean;
  setOpen: (open: boolean) => void;
  active?: boolean;
  class?: string;
}

export function Menu({ name, icon, groups, open, setOpen, active = false, class: place = "" }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  // Before the next key is read: a fast Escape or arrow finds the focus in the menu.
  useLayoutEffect(() => {
    if (!open) return;
    const items = root.current!.querySelectorAll<HTMLElement>(ITEMS);
    ([...items].find((item) => item.ariaChecked === "true") ?? items[0])?.focus();
    const onPointerDown = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointerDown, true);
    return () => document.removeEventListener("pointerdown", onPointerDown, true);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return;
    const items = [...root.current!.querySelectorAll<HTMLElement>(ITEMS)];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const moves: Record<string, number> = {
      ArrowDown: (at + 1) % items.length,
      ArrowUp: (at - 1 + items.length) % items.length,
      Home: 0,
      End: items.length - 1,
    };
    const to = moves[event.key];
    if (to !== undefined) items[to]?.focus();
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") setOpen(false);
    if (event.key !== "Tab") event.stopPropagation();
    if (to !== undefined || event.key === "Escape") event.preventDefault();
  };

  return (
    <div class={`menu ${place}`} data-menu={name.toLowerCase()} ref={root} onKeyDown={onKeyDown}>
      <button
        ref={button}
        class={`icon-button ${active ? "on" : ""}`}
        aria-label={name}
        title={name}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {icon}
      </button>
      {open && (
        <div class="menu-panel" role="menu" aria-label={name}>
          {groups.map((group) => (
            <div key={group.heading} role="group" aria-label={group.heading} class="menu-group">
              <div class="menu-heading" aria-hidden="true">
                {group.heading}
              </div>
              {group.choices.map((choice, at) => (
                <button
                  key={at}
                  role={choice.chosen === undefined ? "menuitem" : "menuitemradio"}
                  {...(choice.chosen === undefined ? {} : { "aria-checked": choice.chosen })}
                  tabIndex={-1}
                  class="menu-item"
                  onClick={() => {
                    choice.choose();
                    close();
                  }}
                >
                  {choice.chosen ? <CheckIcon /> : <span class="icon" />}
                  <span>{choice.label}</span>
                  {choice.note !== undefined && <span class="menu-note">{choice.note}</span>}
                </button>
              ))}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
