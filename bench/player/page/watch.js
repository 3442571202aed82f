/**
 * Writes down what a viewer sees of the page's only video: the first frame, the height of every frame shown, and ten times a
 * second the position, the seconds buffered ahead and whether it is waiting. Times are milliseconds since the click.
 */

(() => {
  const seen = { clicked: null, first: null, heights: [], samples: [] };
  window.__seen = seen;
  const since = (at) => Math.round(at - seen.clicked);
  document.addEventListener("click", () => (seen.clicked ??= performance.now()), { capture: true });

  const follow = (video) => {
    const frame = (now, shown) => {
      if (seen.clicked !== null && shown.width > 0) {
        seen.first ??= since(now);
        if (seen.heights.at(-1)?.[1] !== shown.height) seen.heights.push([since(now), shown.height]);
      }
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  };
  const ahead = (video) => {
    for (let i = 0; i < video.buffered.length; i += 1) {
      if (video.buffered.start(i) <= video.currentTime + 0.1 && video.buffered.end(i) >= video.currentTime)
        return video.buffered.end(i) - video.currentTime;
    }
    return 0;
  };
  let followed = null;
  setInterval(() => {
    const video = document.querySelector("video");
    if (video === null || seen.clicked === null) return;
    if (video !== followed) follow((followed = video));
    seen.samples.push([since(performance.now()), video.currentTime, ahead(video), video.readyState, video.ended ? 1 : 0]);
  }, 100);
  new MutationObserver(() => {
    const video = document.querySelector("video");
    if (video !== null && video !== followed) follow((followed = video));
  }).observe(document, { childList: true, subtree: true });
})();
