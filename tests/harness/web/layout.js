// What a person cannot reach or read on the page as it stands, at the width that was set. Each function answers with sentences.

const described = (element) => {
  const words = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 40);
  const name = element.tagName.toLowerCase() + [...element.classList].map((one) => `.${one}`).join("");
  return `${name} “${words}”`;
};

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex='-1'])";

/** Not shown to anybody who looks: its size is nothing, or it is there for screen readers alone. */
const unseen = (element) => {
  if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return true;
  for (let at = element; at !== null; at = at.parentElement) {
    if (at.matches(".hidden-visually, .skip-link:not(:focus), [aria-hidden=true], [inert]")) return true;
  }
  return false;
};

/** The part of a rectangle that is cut off sideways, after every ancestor that scrolls, or shortens by an ellipsis, is let pass. */
function outside(rect, element, width) {
  for (let at = element; at !== null && at !== document.body && at !== document.documentElement; at = at.parentElement) {
    const style = getComputedStyle(at);
    if (style.position === "fixed" || style.overflowX === "visible") {
      if (style.position === "fixed") break;
      continue;
    }
    if (style.overflowX === "auto" || style.overflowX === "scroll") return null;
    if (style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none") return null;
    const box = at.getBoundingClientRect();
    if (rect.left < box.left - 1 || rect.right > box.right + 1) return `cut off by ${described(at)}`;
  }
  if (rect.left < -1) return `${Math.round(-rect.left)} px off the left edge`;
  if (rect.right > width + 1) return `${Math.round(rect.right - width)} px off the right edge`;
  return null;
}

function textRects(element) {
  const rects = [];
  for (const node of element.childNodes) {
    if (node.nodeType !== Node.TEXT_NODE || node.data.trim() === "") continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    rects.push(...range.getClientRects());
  }
  return rects.filter((rect) => rect.width > 0 && rect.height > 0);
}

/** Everything that is wider than the screen, or lies beside it. */
function sticksOut(width) {
  const found = [];
  if (innerWidth > width) found.push(`the browser zoomed out to ${innerWidth} px to show everything`);
  if (document.documentElement.scrollWidth > width) {
    found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
    for (const element of document.body.querySelectorAll("*")) {
      const { right } = element.getBoundingClientRect();
      if (right <= width + 1) continue;
      let scroller = element.parentElement;
      while (scroller !== null && scroller !== document.body && !/auto|scroll|hidden|clip/.test(getComputedStyle(scroller).overflowX)) {
        scroller = scroller.parentElement;
      }
      if (scroller === null || scroller === document.body) found.push(`${described(element)} ends at ${Math.round(right)} px`);
      else if (getComputedStyle(element).position === "absolute" && !scroller.contains(element.offsetParent)) {
        found.push(`${described(element)} ends at ${Math.round(right)} px and does not scroll with ${described(scroller)}`);
      }
    }
  }
  for (const element of document.body.querySelectorAll("*")) {
    const rects = element.matches(FOCUSABLE) ? [element.getBoundingClientRect()] : [];
    rects.push(...textRects(element));
    if (rects.length === 0 || unseen(element)) continue;
    for (const rect of rects) {
      const how = rect.width === 0 ? null : outside(rect, element, width);
      if (how !== null) {
        found.push(`${described(element)} is ${how}`);
        break;
      }
    }
  }
  return found;
}

/** Text whose lines are cut off above or below by a box of fixed height. */
function cutText() {
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const rects = textRects(element);
    if (rects.length === 0 || unseen(element)) continue;
    for (let at = element; at !== null && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.webkitLineClamp !== "none") break;
      if (style.overflowY === "auto" || style.overflowY === "scroll") break;
      if (style.overflowY === "visible" && !at.matches("button, a.button, .badge, .chip")) continue;
      const box = at.getBoundingClientRect();
      // A line's box is taller than its letters.
      const spare = Math.max(2, 0.3 * parseFloat(getComputedStyle(element).fontSize));
      if (rects.some((rect) => rect.top < box.top - spare || rect.bottom > box.bottom + spare)) {
        found.push(`${described(element)} is cut off by the height of ${described(at)}`);
      }
      break;
    }
  }
  return found;
}

/** Controls that lie below something else once they have the focus. A long list is looked at in part: its start, its end. */
function covered() {
  const found = [];
  // What lies over the rest on purpose: the rest cannot be reached until it is closed.
  const over = document.querySelector("dialog[open], [role=menu]");
  const all = [...(over ?? document).querySelectorAll(FOCUSABLE)].filter((each) => !unseen(each) && !each.disabled);
  const some = all.length <= 60 ? all : [...all.slice(0, 40), ...all.slice(-20)];
  for (const element of some) {
    if (element.tabIndex < 0 && !element.matches("[role=menuitemradio]")) continue;
    element.focus();
    if (document.activeElement !== element) continue;
    const rect = element.getClientRects()[0];
    if (rect === undefined || rect.width < 3 || rect.height < 3) continue;
    // Of something higher than the screen, its part on the screen.
    const top = Math.max(rect.top, 0);
    const bottom = Math.min(rect.bottom, innerHeight);
    const x = (Math.max(rect.left, 0) + Math.min(rect.right, document.documentElement.clientWidth)) / 2;
    const points = [
      [x, (top + bottom) / 2],
      [x, Math.max(top + 3, 0)],
      [x, bottom - 3],
    ];
    // A text area is scrolled to its caret, at its top; of what is higher than the screen, the middle is enough.
    const asked = element.matches("textarea") ? points.slice(1, 2) : rect.height > innerHeight ? points.slice(0, 1) : points;
    for (const [left, y] of asked) {
      const top = document.elementFromPoint(left, y);
      if (top === null) {
        found.push(`${described(element)} is not on the screen after it got the focus`);
        break;
      }
      const label = element.closest("label");
      if (top !== element && !element.contains(top) && !top.contains(element) && !(label?.contains(top) ?? false)) {
        found.push(`${described(element)} is covered by ${described(top)}`);
        break;
      }
    }
  }
  document.activeElement?.blur?.();
  scrollTo(0, 0);
  return found;
}

/** On a phone the tabs lie at the foot of the screen, whole. */
function tabsOffScreen(width) {
  const bar = document.querySelector("nav.tabs");
  if (bar === null) return [];
  const found = [];
  for (const tab of bar.querySelectorAll("a")) {
    const rect = tab.getBoundingClientRect();
    if (rect.width === 0) continue;
    if (rect.left < -1 || rect.right > width + 1 || rect.top < -1 || rect.bottom > innerHeight + 1) {
      found.push(`the tab ${described(tab)} is not on the screen: ${Math.round(rect.left)}, ${Math.round(rect.top)}`);
    }
  }
  return found;
}

/** Rows are laid out when they come near, a frame after the focus; here nobody waits for a frame. */
const layOutEverything = () => {
  for (const element of document.querySelectorAll(".shelf")) element.style.contentVisibility = "visible";
  return [];
};

const wrongAt = (width) => layOutEverything() && [...sticksOut(width).slice(0, 8), ...tabsOffScreen(width), ...cutText(), ...covered()].slice(0, 16);
