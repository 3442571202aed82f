// Sums up layout shifts as web.dev defines the cumulative layout shift: the worst window of at most 5 s, with less than 1 s between two.
(() => {
  const kept = { worst: 0, moved: [] };
  let window_ = { from: 0, to: 0, sum: 0 };
  const named = (node) => {
    const element = node instanceof Element ? node : node?.parentElement;
    if (!element) return "something removed";
    return element.tagName.toLowerCase() + [...element.classList].map((one) => `.${one}`).join("");
  };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      const at = entry.startTime;
      const same = window_.sum > 0 && at - window_.to < 1000 && at - window_.from < 5000;
      window_ = same ? { ...window_, to: at, sum: window_.sum + entry.value } : { from: at, to: at, sum: entry.value };
      kept.worst = Math.max(kept.worst, window_.sum);
      for (const { node, previousRect: a, currentRect: b } of entry.sources) {
        const places = [a.x, a.y, a.width, a.height].map(Math.round) + " to " + [b.x, b.y, b.width, b.height].map(Math.round);
        kept.moved.push(`${entry.value.toFixed(3)} at ${Math.round(at)} ms: ${named(node)} from ${places}`);
      }
    }
  }).observe({ type: "layout-shift", buffered: true });
  globalThis.layoutShifts = kept;
})();
