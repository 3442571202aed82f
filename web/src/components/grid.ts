/** Arrow keys in a grid of links, by the links' positions on the screen. Up from the first line goes to the search box. */

const KEYS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function moveInGrid(event: KeyboardEvent): void {
  const step = KEYS[event.key];
  const link = (event.target as Element).closest("a");
  if (step === undefined || link === null) return;
  event.preventDefault();
  const links = [...(event.currentTarget as Element).querySelectorAll("a")];
  const at = links.indexOf(link);
  if (step[0] !== 0) {
    links[at + step[0]]?.focus();
    return;
  }
  const from = link.getBoundingClientRect();
  let best: HTMLElement | null = null;
  let distance = Number.POSITIVE_INFINITY;
  for (const other of links) {
    const to = other.getBoundingClientRect();
    const down = (to.top - from.top) * step[1];
    if (down < from.height / 2) continue;
    const away = down * 4 + Math.abs(to.left - from.left);
    if (away < distance) [best, distance] = [other, away];
  }
  if (best !== null) best.focus();
  else if (step[1] < 0) document.getElementById("search")?.focus();
}
